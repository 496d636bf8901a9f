import { compareBytes } from '../../core/bytes/bytes.ts';
import { compareVersions, type Version } from '../../core/version/version.ts';
import { type BulkPage, type BulkRecord, recordsOf } from '../../peer/bulk-page.ts';
import type { PartitionAt } from '../../peer/data-messages.ts';
import type { EngineOperation } from '../../storage/engine.ts';
import { dataKey } from '../../storage/key-layout.ts';
import type { VersionSource } from '../../storage/version-source.ts';
import type { Damage } from './damage.ts';
import { decodeHeld, type Held } from './held.ts';
import { judgeStore } from './judge-store.ts';
import type { KeyLoader } from './key-loader.ts';
import type { KeyState } from './key-state.ts';
import type { KeyTable } from './key-table.ts';
import {
  isPageRefused,
  PageAdmission,
  type PageAdmissionDeps,
  type PageAdmissionOptions,
  type PageRefused,
  type PageStored,
  refused,
} from './page-admission.ts';
import type { PartitionState } from './partition-state.ts';
import { FreshPageStore } from './store-fresh-page.ts';
import { storeOperations } from './store-operations.ts';
import type { KeyChange } from './writer.ts';

export type PageStoreOptions = PageAdmissionOptions;

export type PageStoreDeps = PageAdmissionDeps & {
  readonly versions: Pick<VersionSource, 'observe'>;
  readonly table: KeyTable;
  readonly loader: KeyLoader;
  readonly damage: Damage;
};

type Offer = {
  readonly given: BulkRecord;
  readonly state: KeyState;
  readonly storedKey: Uint8Array;
  readonly offered: Held;
};

/**
 * Stores a page of the bulk of a partition that this member is filling: by the rules of a single store that came by an
 * exchange (`serve-store.ts`), key by key, but passed through the gate, judged and issued in one turn, as one batch for the disk.
 * Where a partition holds nothing else, keys need no look of their own (`store-fresh-page.ts`).
 */
export class PageStore {
  readonly #deps: PageStoreDeps;
  readonly #admission: PageAdmission;
  readonly #fresh: FreshPageStore;

  constructor(options: PageStoreOptions, deps: PageStoreDeps) {
    this.#deps = deps;
    this.#admission = new PageAdmission(options, deps);
    this.#fresh = new FreshPageStore({ ...deps, admission: this.#admission });
  }

  async store(at: PartitionAt, partition: PartitionState, page: BulkPage): Promise<PageStored> {
    const stored = await this.#fresh.store(at, partition, page);
    return stored === 'key-by-key' ? await this.#storeByKey(at, partition, recordsOf(page)) : stored;
  }

  async #storeByKey(
    at: PartitionAt,
    partition: PartitionState,
    records: readonly BulkRecord[],
  ): Promise<PageStored> {
    const damaged: BulkRecord[] = [];
    const offers: Offer[] = [];
    for (const given of records) {
      const storedKey = dataKey({ partition: at.partition, ...given });
      const offered = decodeHeld(storedKey, given.record);
      if (offered === undefined) damaged.push(given);
      else offers.push(this.#offer(partition, given, storedKey, offered));
    }
    try {
      const failure = await this.#deps.loader.knowAll(offers);
      if (failure !== undefined) return refused('STORAGE_FAILED', failure.message);
      const failed = await this.#admission.withSpaceKnown(() => this.#issue(at, partition, offers));
      return failed ?? { type: 'stored', damaged };
    } finally {
      for (const { state } of offers) this.#deps.table.release(state);
    }
  }

  #offer(partition: PartitionState, given: BulkRecord, storedKey: Uint8Array, offered: Held): Offer {
    const state = this.#deps.table.acquireOnce(storedKey, partition, given);
    return { given, state, storedKey, offered };
  }

  /** The gate is passed in this turn, and in it the batch is issued: nothing may wait in between. */
  #issue(
    at: PartitionAt,
    partition: PartitionState,
    offers: readonly Offer[],
  ): Promise<PageRefused | undefined> | 'look-again' {
    const namespaceIds = new Set(offers.map(({ given }) => given.namespaceId));
    const served = this.#admission.servedOf(namespaceIds, at, partition);
    if (isPageRefused(served)) return Promise.resolve(served);
    const wanted: Offer[] = [];
    const waited: Promise<Error | undefined>[] = [];
    for (const offer of offers) {
      if (!served.has(offer.given.namespaceId)) continue;
      const { newest } = offer.state;
      if (newest !== undefined && compareVersions(offer.offered.version, newest.version) <= 0) {
        const held = onceHeld(offer);
        if (held !== undefined) waited.push(held);
        continue;
      }
      const verdict = this.#judge(partition, offer);
      if (typeof verdict === 'object') return Promise.resolve(verdict);
      if (verdict === 'wanted') wanted.push(offer);
    }
    const bytes = wanted.reduce(
      (sum, { given, storedKey }) => sum + given.record.length + storedKey.length,
      0,
    );
    const admitted = wanted.length === 0 ? 'admitted' : this.#admission.admit(bytes);
    if (admitted === 'look-again') return admitted;
    if (admitted !== 'admitted') return Promise.resolve(admitted);
    if (wanted.length > 0) waited.push(this.#issueBatch(partition, wanted, bytes));
    return Promise.all(waited).then(failureOf);
  }

  #judge(partition: PartitionState, { given, state, offered }: Offer): 'wanted' | 'not-needed' | PageRefused {
    const { floor, watermark, isFilling } = partition;
    const isDamaged = state.isDamaged && !state.isChanging;
    const promised = isDamaged ? this.#deps.damage.promisedOf(state.name) : undefined;
    const verdict = judgeStore({
      ...{ origin: 'exchange', offered, newest: state.newest, isDamaged, promised },
      ...{ floor, watermark, isFilling, sourceWatermark: undefined },
    });
    if (verdict === 'BELOW_WATERMARK') return 'not-needed';
    if (verdict !== 'accept')
      return refused('RECORD_CORRUPT', `${given.key.length} bytes of a key whose record is damaged here`);
    return this.#admission.whySkewed(offered.version) ?? 'wanted';
  }

  #issueBatch(
    partition: PartitionState,
    wanted: readonly Offer[],
    bytes: number,
  ): Promise<Error | undefined> {
    const operations: EngineOperation[] = [];
    let end = partition.pagesEnd;
    let highest: Version | undefined;
    for (const { given, state, storedKey, offered } of wanted) {
      const address = { partition: state.partition.number, ...given };
      storeOperations(operations, {
        address,
        storedKey,
        record: given.record,
        offered,
        newest: state.newest,
      });
      if (highest === undefined || compareVersions(offered.version, highest) > 0) highest = offered.version;
      if (end !== undefined && compareBytes(storedKey, end) > 0) end = storedKey;
    }
    if (highest !== undefined) this.#deps.versions.observe(highest);
    return new Promise((resolve) => {
      const changes = wanted.map(
        ({ state, offered }, i): KeyChange => ({
          ...{ state, after: offered },
          ...(i === wanted.length - 1 && { waiter: resolve }),
        }),
      );
      this.#deps.writer.issue(changes, operations, bytes);
      // The next page may find nothing but pages all the same.
      partition.pagesEnd = end;
    });
  }
}

/** Undefined where it is durable already. */
function onceHeld({ state, offered }: Offer): Promise<Error | undefined> | undefined {
  const { durable } = state;
  if (durable !== undefined && compareVersions(offered.version, durable.version) <= 0) return undefined;
  const change = state.changeTo(offered.version);
  if (change === undefined) throw new Error('a version is known that is neither durable nor under way');
  return new Promise((resolve) => change.waiters.push(resolve));
}

function failureOf(failures: readonly (Error | undefined)[]): PageRefused | undefined {
  const failure = failures.find((each) => each !== undefined);
  return failure && refused('STORAGE_FAILED', failure.message);
}
