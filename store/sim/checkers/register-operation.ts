/**
 * What a client did with one key. Times are of one clock and no two events of a history share one (`HistoryClock`); a
 * write without an end has an unknown outcome: it takes effect at any time after its begin, or never. What certainly
 * failed is told with `isRefused`: it never took effect.
 */
export type RegisterOperation = {
  /** Who was asked, for people. */
  readonly by: string;
  readonly beganAt: number;
  readonly endedAt: number | undefined;
} & (
  | { readonly type: 'put'; readonly value: string; readonly isRefused?: boolean }
  | { readonly type: 'delete'; readonly isRefused?: boolean }
  /** What was found; undefined where there was nothing. Only reads that were answered. */
  | { readonly type: 'read'; readonly value: string | undefined; readonly endedAt: number }
);

export type Put = Extract<RegisterOperation, { readonly type: 'put' }>;
export type Delete = Extract<RegisterOperation, { readonly type: 'delete' }>;
export type Read = Extract<RegisterOperation, { readonly type: 'read' }>;

/** For people, e.g. `[12.5 .. 14.0] node-2: put "a7"`. */
export function describeOperation(operation: RegisterOperation): string {
  const { by, beganAt, endedAt } = operation;
  const end = endedAt === undefined ? 'never answered' : endedAt.toFixed(3);
  return `[${beganAt.toFixed(3)} .. ${end}] ${by}: ${whatOf(operation)}`;
}

function whatOf(operation: RegisterOperation): string {
  switch (operation.type) {
    case 'put':
      return `put ${operation.value}${operation.isRefused === true ? ', refused' : ''}`;
    case 'delete':
      return `delete${operation.isRefused === true ? ', refused' : ''}`;
    case 'read':
      return `read ${operation.value ?? 'nothing'}`;
  }
}

const STEP_MS = 1e-6;

/** Gives each event of a history a time of its own, in the order in which they are asked for. */
export class HistoryClock {
  readonly #nowMs: () => number;
  #last = Number.NEGATIVE_INFINITY;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Milliseconds. */
  next(): number {
    this.#last = Math.max(this.#nowMs(), this.#last + STEP_MS);
    return this.#last;
  }
}
