import type { MemberId } from '../../core/raft/types.ts';
import { formatVersion } from '../../core/version/version.ts';
import type { PartitionAt } from '../../peer/data-messages.ts';
import type { ExchangeLog } from './exchange-log.ts';
import type { AntiEntropyEvent, ExchangeReplica } from './exchange-options.ts';
import type { Watermarks } from './holdings.ts';
import { isStillLive, type SealedCheckDeps, type SealedDifference } from './sealed-check.ts';

export type ProblemsOptions = { readonly self: MemberId; readonly problemsMax: number };
export type ProblemsDeps = SealedCheckDeps & {
  readonly replica: ExchangeReplica;
  readonly log: ExchangeLog;
  readonly tell: (event: AntiEntropyEvent) => void;
};

type PromisesLost = Omit<AntiEntropyEvent & { readonly type: 'promises-lost' }, 'type'>;

/** What must not be, and is told; each thing once, however often it is seen again. */
export class Problems {
  readonly #options: ProblemsOptions;
  readonly #deps: ProblemsDeps;
  /** In the order in which they were told; the oldest are forgotten. */
  readonly #told = new Set<string>();

  constructor(options: ProblemsOptions, deps: ProblemsDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /**
   * A watermark rises only after every member of the set made a floor at least as high durable. So who is below one has
   * lost its disk's last part: it may lack acknowledged writes, and must not answer any more.
   */
  promisesLost(lost: PromisesLost): void {
    const { partition, member, floor, watermark } = lost;
    if (!this.#isNew(`promises ${partition} ${member}`)) return;
    this.#deps.tell({ type: 'promises-lost', ...lost });
    if (member !== this.#options.self) return;
    this.#deps.replica.takeOut(
      `The floor of partition ${partition} is ${formatVersion(floor)} here, and its replica set has settled ` +
        `${formatVersion(watermark)}: this disk has lost what it promised (was it restored from a copy?). ` +
        'Remove its data directory and let the member rejoin as a replacement.',
    );
  }

  /** Tells of those that are an error. */
  async lookInto(
    at: PartitionAt,
    suspects: readonly SealedDifference[],
    watermarks: Watermarks,
  ): Promise<readonly SealedDifference[]> {
    const found: SealedDifference[] = [];
    for (const suspect of suspects) {
      if (!(await isStillLive(this.#deps, at, suspect, watermarks))) continue;
      found.push(suspect);
      const { namespaceId, key, member, version } = suspect;
      const name = `sealed ${at.partition} ${member} ${namespaceId} ${key.join()} ${formatVersion(version)}`;
      if (!this.#isNew(name)) continue;
      this.#deps.log.count({ sealedDifferences: 1 });
      this.#deps.tell({ type: 'sealed-difference', partition: at.partition, ...suspect });
    }
    return found;
  }

  #isNew(name: string): boolean {
    if (this.#told.has(name)) return false;
    this.#told.add(name);
    for (const oldest of this.#told) {
      if (this.#told.size <= this.#options.problemsMax) break;
      this.#told.delete(oldest);
    }
    return true;
  }
}
