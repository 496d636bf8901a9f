import { majority } from '../../store/core/quorum/quorum-sizes.ts';
import type { DataRefusal } from './data-client.ts';

/** What is broken, by the numbers of nodes; `sides` are those of a partition: nodes reach only those of their own. */
export type Fault = {
  readonly faulty: readonly number[];
  readonly sides?: readonly (readonly number[])[];
};

type FaultWindow = { readonly fault: Fault; readonly fromMs: number; untilMs: number };

/** A request that was refused, or whose connection broke. */
export type RefusedRequest = DataRefusal & {
  readonly asked: number;
  /** The replica sets that it needed a quorum of, as numbers of nodes. */
  readonly sets: readonly (readonly number[])[];
  readonly beganAt: number;
  readonly endedAt: number;
};

export type Judgement = 'asked the faulty node' | 'no quorum' | 'before it was known' | 'unexplained';

/** A failure has this time to be known: until then requests that were sent to whom it hit may fail with it. */
export const KNOWN_AFTER_MS = 3000;
const DOCUMENTED = new Set([
  'QUORUM_NOT_MET',
  'DEADLINE_EXCEEDED',
  'CLOCK_SKEW',
  'STORAGE_FULL',
  'STORAGE_FAILED',
  'OVERLOADED',
  'CLUSTER_FORMING',
  'CLUSTER_WAITING',
  'NO_LEADER',
  'SHUTTING_DOWN',
  'REPLICA_OUT',
]);

/**
 * When which nodes were broken, and the rule which refusals that explains. A request may be refused, with a documented
 * code, or its connection may break, only if at some time between its begin and its end
 *   - the node that was asked was itself broken; or
 *   - of a replica set that it needed less than a majority were sound and on the side of the node asked; or
 *   - one of that set was broken, and the request began within KNOWN_AFTER_MS of that, at the latest.
 * A node is broken until it is ready again and the cluster has settled.
 */
export class FaultWindows {
  readonly #windows: FaultWindow[] = [];
  readonly #nowMs: () => number;

  /** `nowMs` is the time that the requests are noted with. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** From now on, until `closeAll`. */
  open(fault: Fault): void {
    this.#windows.push({ fault, fromMs: this.#nowMs(), untilMs: Number.POSITIVE_INFINITY });
  }

  closeAll(): void {
    for (const window of this.#windows) window.untilMs = Math.min(window.untilMs, this.#nowMs());
  }

  /** For people: what was broken, and how long before the request began. */
  describe({ beganAt }: RefusedRequest): string {
    const lines = this.#windows.map(({ fault, fromMs, untilMs }) => {
      const what =
        fault.sides === undefined ? `nodes ${fault.faulty}` : `sides ${JSON.stringify(fault.sides)}`;
      const end = untilMs < beganAt ? `, until ${Math.round(beganAt - untilMs)} ms before it` : '';
      return `${what} broken from ${Math.round(beganAt - fromMs)} ms before it began${end}`;
    });
    return lines.slice(-3).join('; ') || 'nothing was broken before';
  }

  judge(request: RefusedRequest): Judgement {
    const isDocumented = request.status === 0 || (request.status >= 500 && DOCUMENTED.has(request.code));
    if (!isDocumented) return 'unexplained';
    const overlapping = this.#windows.filter(
      ({ fromMs, untilMs }) => fromMs <= request.endedAt && untilMs >= request.beganAt,
    );
    const faults = overlapping.map(({ fault }) => fault);
    if (faults.some(({ faulty }) => faulty.includes(request.asked))) return 'asked the faulty node';
    // A connection that breaks is the fault of the node that was asked alone.
    if (request.status === 0) return 'unexplained';
    const hasNoQuorum = request.sets.some(
      (set) => soundOf(set, request.asked, faults) < majority(set.length),
    );
    if (hasNoQuorum) return 'no quorum';
    const isEarly = overlapping.some(
      ({ fault, fromMs }) =>
        request.beganAt <= fromMs + KNOWN_AFTER_MS &&
        request.sets.some((set) => soundOf(set, request.asked, [fault]) < set.length),
    );
    return isEarly ? 'before it was known' : 'unexplained';
  }
}

/** How many of the set are sound and reached by the node asked, through all of the faults. */
function soundOf(set: readonly number[], asked: number, faults: readonly Fault[]): number {
  return set.filter((node) =>
    faults.every(({ faulty, sides }) => {
      const side = sides?.find((each) => each.includes(asked));
      return !faulty.includes(node) && (side === undefined || side.includes(node));
    }),
  ).length;
}
