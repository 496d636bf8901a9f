import { compareBytes } from '../../core/bytes/bytes.ts';
import type { MemberId } from '../../core/raft/types.ts';
import type { KeyAt, LeafEntry, PartitionAt } from '../../peer/data-messages.ts';
import { type AskFailure, type DataAsker, isFailure } from './data-asker.ts';

/** A key of some leaves, and what each member that has it holds. */
export type MergedKey = KeyAt & { readonly entries: ReadonlyMap<MemberId, LeafEntry> };

export type MergeOptions = {
  readonly at: PartitionAt;
  readonly members: readonly MemberId[];
  readonly leaves: ReadonlySet<number>;
  /** Of one page; one page of each member is in memory. */
  readonly entriesMax: number;
};

/** All keys of the leaves in the order of the engine, page by page; ends with a failure where a member did not answer. */
export async function* mergedLeaves(
  { members, ...options }: MergeOptions,
  asker: DataAsker,
): AsyncGenerator<MergedKey | AskFailure, void, void> {
  if (options.leaves.size === 0) return;
  const pages = members.map((member) => new Pages({ ...options, member }, asker));
  while (true) {
    const failures = await Promise.all(pages.map((page) => page.fill()));
    const failure = failures.find((one) => one !== undefined);
    if (failure !== undefined) return yield failure;
    const least = leastOf(pages);
    if (least === undefined) return;
    yield { namespaceId: least.namespaceId, key: least.key, entries: takeAll(pages, least) };
  }
}

export function compareKeys(a: KeyAt, b: KeyAt): number {
  return a.namespaceId - b.namespaceId || compareBytes(a.key, b.key);
}

function leastOf(pages: readonly Pages[]): LeafEntry | undefined {
  let least: LeafEntry | undefined;
  for (const { head } of pages)
    if (head !== undefined && (least === undefined || compareKeys(head, least) < 0)) least = head;
  return least;
}

function takeAll(pages: readonly Pages[], key: KeyAt): ReadonlyMap<MemberId, LeafEntry> {
  const entries = new Map<MemberId, LeafEntry>();
  for (const page of pages) {
    const { head } = page;
    if (head === undefined || compareKeys(head, key) !== 0) continue;
    entries.set(page.member, head);
    page.take();
  }
  return entries;
}

type PagesOptions = Omit<MergeOptions, 'members'> & { readonly member: MemberId };

/** One member's entries, a page at a time. */
class Pages {
  readonly #options: PagesOptions;
  readonly #asker: DataAsker;
  readonly #leaves: readonly number[];
  #page: readonly LeafEntry[] = [];
  #at = 0;
  #isLast = false;

  constructor(options: PagesOptions, asker: DataAsker) {
    this.#options = options;
    this.#asker = asker;
    this.#leaves = [...options.leaves].sort((a, b) => a - b);
  }

  get member(): MemberId {
    return this.#options.member;
  }

  get head(): LeafEntry | undefined {
    return this.#page[this.#at];
  }

  take(): void {
    this.#at++;
  }

  /** Makes sure that there is a head, unless all was taken. */
  async fill(): Promise<AskFailure | undefined> {
    if (this.head !== undefined || this.#isLast) return undefined;
    const { at, member, entriesMax } = this.#options;
    const after = this.#page.at(-1);
    const request = { ...at, type: 'leaves', to: member, leaves: this.#leaves, entriesMax } as const;
    const last = after && { namespaceId: after.namespaceId, key: after.key };
    const reply = await this.#asker.ask('leaves', { ...request, after: last });
    if (isFailure(reply)) return reply;
    // A page without entries that is not the last would be asked for again and again.
    this.#isLast = reply.done || reply.entries.length === 0;
    this.#page = reply.entries;
    this.#at = 0;
    return undefined;
  }
}
