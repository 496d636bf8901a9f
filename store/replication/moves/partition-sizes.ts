import type { MemberId } from '../../core/raft/types.ts';
import type { Clock } from '../../ports/clock.ts';
import { type DataAsker, isFailure } from '../exchange/data-asker.ts';

/** How long what a member said of all its partitions is good for: they differ little in so short a time. */
const GOOD_MS = 1000;

export type PartitionSizesDeps = { readonly clock: Clock; readonly asker: Pick<DataAsker, 'ask'> };

type Sizes = ReadonlyMap<number, number>;
type Said = { readonly atMs: number; readonly sizes: Promise<Sizes | undefined> };

/**
 * How large the others say that their partitions are. One answer is of all partitions of a member, and costs it as much, so it is
 * asked for once for the many that come to this member at the same time.
 */
export class PartitionSizes {
  readonly #deps: PartitionSizesDeps;
  readonly #said = new Map<MemberId, Said>();

  constructor(deps: PartitionSizesDeps) {
    this.#deps = deps;
  }

  /** In bytes; undefined where the member does not answer, or does not hold the partition. */
  async of(partition: number, member: MemberId): Promise<number | undefined> {
    const known = await this.#fresh(member)?.sizes;
    if (known?.has(partition) === true) return known.get(partition);
    return (await this.#ask(member))?.get(partition);
  }

  #fresh(member: MemberId): Said | undefined {
    const said = this.#said.get(member);
    return said !== undefined && this.#deps.clock.monotonicMs() - said.atMs < GOOD_MS ? said : undefined;
  }

  #ask(member: MemberId): Promise<Sizes | undefined> {
    const sizes = this.#answerOf(member);
    this.#said.set(member, { atMs: this.#deps.clock.monotonicMs(), sizes });
    return sizes;
  }

  async #answerOf(to: MemberId): Promise<Sizes | undefined> {
    const reply = await this.#deps.asker.ask('report', { type: 'report', to });
    if (isFailure(reply)) return undefined;
    return new Map(reply.report.owned.map(({ partition, bytes }) => [partition, bytes]));
  }
}
