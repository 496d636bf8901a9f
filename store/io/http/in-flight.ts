/** What is under way, and how much memory it holds: the two numbers that refuse work before it hurts. */
export type InFlight = {
  requests: number;
  bytes: number;
  readonly requestsMax: number;
  readonly bytesMax: number;
};

export function createInFlight(requestsMax: number, bytesMax: number): InFlight {
  return { requests: 0, bytes: 0, requestsMax, bytesMax };
}

export function hasRoomFor(inFlight: InFlight, bytes: number): boolean {
  return inFlight.bytes + bytes <= inFlight.bytesMax;
}
