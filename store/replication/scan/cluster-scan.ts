import { successor } from '../../core/bytes/bytes.ts';
import type { Level } from '../../core/quorum/quorum-sizes.ts';
import type { PartitionView } from '../../core/quorum/replica-sets.ts';
import type { MemberId } from '../../core/raft/types.ts';
import type { ScannedEntry } from '../../peer/data-messages.ts';
import { KvError } from '../../storage/errors.ts';
import { dataKey } from '../../storage/key-layout.ts';
import type { ScanEntry, ScanPage, ScanQuery, ScanRange } from '../../storage/kv-store.ts';
import { decodeRecord, isLive, type StoredRecord } from '../../storage/record.ts';
import { boundsOf } from '../../storage/scan.ts';
import type { ScannedKey } from './merge-answers.ts';
import { type ScanStepDeps, type StepEnd, scanStep } from './scan-step.ts';

export type ClusterScanOptions = {
  /** `limits.scanPageBytesMax`: keys and values after which a page ends. */
  readonly scanPageBytesMax: number;
  /** `limits.scanExaminedMax`: keys, live or not, that a page looks at. */
  readonly scanExaminedMax: number;
  /** For a page, where the request does not say. */
  readonly timeoutMs: number;
};

export type ClusterScanDeps = ScanStepDeps & {
  /**
   * A read at quorum with its write-back: what holds for the key, also a tombstone; undefined: nothing. Rejects at
   * `deadlineMs`, monotonic.
   */
  readKey(
    namespaceId: number,
    partition: number,
    key: Uint8Array,
    deadlineMs: number,
  ): Promise<StoredRecord | undefined>;
};

export type ClusterScanRequest = {
  readonly level?: Level | undefined;
  readonly timeoutMs?: number | undefined;
};

/** Scans over all partitions at quorum. It keeps nothing between pages, so that they survive any change of the topology. */
export type ClusterScan = {
  scanPage(namespaceId: number, query: ScanQuery, request?: ClusterScanRequest): Promise<ScanPage>;
  /** All of a range, each page as of its own time. */
  scanAll(
    namespaceId: number,
    range: ScanRange,
    request?: ClusterScanRequest,
  ): AsyncGenerator<readonly ScanEntry[], void, void>;
  /** Ends what is under way. */
  stop(): void;
};

/** Entries of a page of scanAll. */
const STREAMED_AT_ONCE = 1000;
/** Keys that are looked at together; of these the unsettled ones are read, and their values in memory, at the same time. */
const READ_AT_ONCE = 8;
/** Tries that fit into the time of a page, where members hang. */
const TRIES = 4;

export function createClusterScan(options: ClusterScanOptions, deps: ClusterScanDeps): ClusterScan {
  const stopping = new AbortController();
  const scanPage: ClusterScan['scanPage'] = (namespaceId, query, request = {}) =>
    new Page(namespaceId, query, request, { options, deps, signal: stopping.signal }).run();
  return {
    scanPage,
    async *scanAll(namespaceId, range, request) {
      let after: Uint8Array | undefined;
      do {
        const page = await scanPage(namespaceId, { ...range, limit: STREAMED_AT_ONCE, after }, request);
        if (page.entries.length > 0) yield page.entries;
        after = page.resumeAfter;
      } while (after !== undefined);
    },
    stop: () => stopping.abort(),
  };
}

type PageContext = {
  readonly options: ClusterScanOptions;
  readonly deps: ClusterScanDeps;
  readonly signal: AbortSignal;
};

/** One page under way. */
class Page {
  readonly #namespaceId: number;
  readonly #query: ScanQuery;
  readonly #level: Level;
  readonly #timeoutMs: number;
  readonly #deadlineMs: number;
  /**
   * By which expiry is judged. Not the time at which a record is shown: what was read of it may be overwritten by then, and to say that
   * nothing is there, since the old value has expired meanwhile, was true at no time.
   */
  readonly #beganAtMs: number;
  readonly #context: PageContext;
  readonly #avoided = new Set<MemberId>();
  readonly #entries: ScanEntry[] = [];
  #bytes = 0;
  #examined = 0;

  constructor(namespaceId: number, query: ScanQuery, request: ClusterScanRequest, context: PageContext) {
    this.#namespaceId = namespaceId;
    this.#query = query;
    this.#level = request.level ?? 'quorum';
    this.#timeoutMs = request.timeoutMs ?? context.options.timeoutMs;
    this.#deadlineMs = context.deps.clock.monotonicMs() + this.#timeoutMs;
    this.#beganAtMs = context.deps.clock.nowMs();
    this.#context = context;
  }

  async run(): Promise<ScanPage> {
    const { deps, signal } = this.#context;
    const isReverse = this.#query.reverse === true;
    let bounds = boundsOf(this.#query, isReverse);
    for (;;) {
      const step = { ...this.#nextStep(), ...bounds, isReverse, deadlineMs: this.#deadlineMs };
      const end = await scanStep(step, this.#avoided, deps, signal);
      const resumeAfter = await this.#take(end);
      if (resumeAfter !== undefined) return { entries: this.#entries, resumeAfter };
      const { coveredTo } = end;
      if (coveredTo === undefined) return { entries: this.#entries, resumeAfter: undefined };
      bounds = isReverse ? { ...bounds, end: coveredTo } : { ...bounds, start: successor(coveredTo) };
    }
  }

  #nextStep() {
    const { scanPageBytesMax, scanExaminedMax } = this.#context.options;
    return {
      namespaceId: this.#namespaceId,
      level: this.#level,
      withValues: this.#query.keysOnly !== true,
      entriesMax: Math.min(this.#query.limit - this.#entries.length, scanExaminedMax - this.#examined),
      bytesMax: scanPageBytesMax - this.#bytes,
      tryMsMax: this.#timeoutMs / TRIES,
    };
  }

  /** Takes keys until the page is full; then the last one that was looked at, after which the next page begins. */
  async #take({ keys, views }: StepEnd): Promise<Uint8Array | undefined> {
    for (let at = 0; at < keys.length; at += READ_AT_ONCE) {
      const some = keys.slice(at, at + READ_AT_ONCE);
      const records = await Promise.all(some.map((key) => this.#resolve(key, views)));
      for (const [i, { key }] of some.entries()) {
        this.#add(key, records[i]);
        if (this.#isFull()) return Buffer.from(key);
      }
    }
    return undefined;
  }

  #isFull(): boolean {
    const { scanPageBytesMax, scanExaminedMax } = this.#context.options;
    return (
      this.#entries.length >= this.#query.limit ||
      this.#bytes >= scanPageBytesMax ||
      this.#examined >= scanExaminedMax
    );
  }

  #add(key: Uint8Array, record: StoredRecord | undefined): void {
    this.#examined += 1;
    if (record === undefined || !isLive(record, this.#beganAtMs)) return;
    const { version, contentType, expiresAtMs } = record;
    const value = this.#query.keysOnly === true ? NO_VALUE : record.value;
    this.#entries.push({ key, record: { version, value, contentType, expiresAtMs } });
    this.#bytes += key.length + value.length;
  }

  async #resolve(scanned: ScannedKey, views: readonly PartitionView[]): Promise<StoredRecord | undefined> {
    const { key, partition, state } = scanned;
    const settled =
      state.type === 'agreed' && agreementCounts(views[partition], this.#level)
        ? this.#recordOf(state.entry)
        : undefined;
    return settled ?? this.#context.deps.readKey(this.#namespaceId, partition, key, this.#deadlineMs);
  }

  /** Undefined where the entry does not say enough. */
  #recordOf(entry: ScannedEntry): StoredRecord | undefined {
    const { key, partition, version, isTombstone, expiresAtMs, contentType, record } = entry;
    // Whoever reads keys only, or what is gone, needs no value.
    const isEnough = isTombstone || this.#query.keysOnly === true;
    if (record === undefined)
      return isEnough ? { version, isTombstone, expiresAtMs, contentType, value: NO_VALUE } : undefined;
    const storedKey = dataKey({ partition, namespaceId: this.#namespaceId, key });
    try {
      return decodeRecord(storedKey, record, key);
    } catch (error) {
      if (error instanceof KvError) return undefined;
      throw error;
    }
  }
}

const NO_VALUE = new Uint8Array();

/**
 * While a partition moves and both its sets must hold what a read answers, agreement in the asked one proves nothing for the
 * other (docs/quorum.md, while a partition moves): then every key is read at quorum. A scan at r=1 promises nothing that this could break.
 */
function agreementCounts(view: PartitionView | undefined, level: Level): boolean {
  if (level === 1) return true;
  return view?.sets.type === 'still' || view?.sets.type === 'joint';
}
