/** What arrives is written to the log, to a table, and to another table before the first is dropped. */
export const SPACE_AMPLIFICATION = 2;

export type SpaceAsked = {
  /** Undefined where it cannot be told: then nothing is refused. */
  readonly freeBytes: number | undefined;
  /** `storage.reserveBytes`: below it writes are refused. */
  readonly reserveBytes: number;
  /** Of all that is to come, and is not there yet. */
  readonly arrivingBytes: number;
};

/** Whether a member's disk can take what a move, or a whole plan, brings, and still take writes of clients. */
export function hasSpace(asked: SpaceAsked): boolean {
  return asked.freeBytes === undefined || asked.freeBytes >= neededBytes(asked);
}

export function neededBytes({ reserveBytes, arrivingBytes }: SpaceAsked): number {
  return reserveBytes + SPACE_AMPLIFICATION * arrivingBytes;
}

/** In words; undefined where there is room. */
export function whyNoSpace(asked: SpaceAsked): string | undefined {
  if (hasSpace(asked)) return undefined;
  const { freeBytes, reserveBytes, arrivingBytes } = asked;
  return (
    `the disk has ${freeBytes} bytes free, and ${neededBytes(asked)} are needed: ${arrivingBytes} that arrive, twice, and ` +
    `${reserveBytes} in reserve (storage.reserveBytes); give it more space, or drain fewer nodes`
  );
}
