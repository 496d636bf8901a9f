import { whyNoSpace } from '../../core/moves/space.ts';
import type { MoveAt } from '../../core/topology/types.ts';
import type { SpaceState } from '../../storage/space-guard.ts';
import type { ReceivedBytes } from './received.ts';

type Arriving = { readonly at: MoveAt; readonly bytes: number };

/** Room on the disk for the partitions that come to this member: each is counted from when it begins until it is there. */
export class ArrivingSpace {
  readonly #deps: { readonly received: ReceivedBytes; space(): SpaceState };
  readonly #arriving = new Map<number, Arriving>();

  constructor(deps: { readonly received: ReceivedBytes; space(): SpaceState }) {
    this.#deps = deps;
  }

  /** In words, why `bytes` more have no room beside what arrives already; where they have, they are counted from now on. */
  take(at: MoveAt, bytes: number): string | undefined {
    this.#arriving.delete(at.partition);
    const { freeBytes, reserveBytes } = this.#deps.space();
    const others = [...this.#arriving.values()].reduce((sum, one) => sum + this.#leftOf(one), 0);
    const arrivingBytes = others + this.#leftOf({ at, bytes });
    const problem = whyNoSpace({ freeBytes, reserveBytes, arrivingBytes });
    if (problem === undefined) this.#arriving.set(at.partition, { at, bytes });
    return problem;
  }

  /** It is there, or comes no more. */
  release(partition: number): void {
    this.#arriving.delete(partition);
  }

  #leftOf({ at, bytes }: Arriving): number {
    return Math.max(0, bytes - this.#deps.received.of(at));
  }
}
