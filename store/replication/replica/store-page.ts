import { compareVersions, type Version } from '../../core/version/version.ts';
import type { BulkRecord } from '../../peer/bulk-page.ts';
import type { PartitionAt } from '../../peer/data-messages.ts';
import type { ReplicaRefusalCode, ReplicaRequest } from '../../peer/replica-messages.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EngineOperation } from '../../storage/engine.ts';
import { KvError } from '../../storage/errors.ts';
import { dataKey } from '../../storage/key-layout.ts';
import type { SpaceGuard } from '../../storage/space-guard.ts';
import type { VersionSource } from '../../storage/version-source.ts';
import type { Damage } from './damage.ts';
import type { Gate } from './gate.ts';
import { decodeIntact, type Held, heldOf } from './held.ts';
import { judgeStore } from './judge-store.ts';
import type { KeyLoader } from './key-loader.ts';
import type { KeyState } from './key-state.ts';
import { type KeyTable, nameOf } from './key-table.ts';
import type { PartitionState } from './partition-state.ts';
import { storeOperations } from './store-operations.ts';
import type { KeyChange, Writer } from './writer.ts';

export type PageStoreOptions = { readonly self: number; readonly skewMsMax: number };

export type PageStoreDeps = {
  readonly clock: Clock;
  readonly versions: Pick<VersionSource, 'observe'>;
  readonly space: Pick<SpaceGuard, 'admit' | 'refresh'>;
  readonly gate: Gate;
  readonly table: KeyTable;
  readonly loader: KeyLoader;
  readonly damage: Damage;
  readonly writer: Writer;
};

/** What a page of records came to. */
export type PageStored =
  /** All that belongs here is durable; `damaged`: the records of the page that failed their checksum. */
  | { readonly type: 'stored'; readonly damaged: readonly BulkRecord[] }
  /** Nothing of it was written. */
  | { readonly type: 'refused'; readonly code: ReplicaRefusalCode; readonly message: string };

type Offer = {
  readonly given: BulkRecord;
  readonly state: KeyState;
  readonly storedKey: Uint8Array;
  readonly offered: Held;
};

/** How often a page waits for a new look at the free space. */
const LOOKS_MAX = 3;
const NO_KEY = new Uint8Array();

/**
 * Stores a page of the bulk of a partition that this member is filling: by the rules of a single store that came by an
 * exchange (`serve-store.ts`), key by key, but passed through the gate, judged and issued in one turn, as one batch for the disk.
 */
export class PageStore {
  readonly #options: PageStoreOptions;
  readonly #deps: PageStoreDeps;

  constructor(options: PageStoreOptions, deps: PageStoreDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  async store(
    at: PartitionAt,
    partition: PartitionState,
    records: readonly BulkRecord[],
  ): Promise<PageStored> {
    const damaged: BulkRecord[] = [];
    const offers: Offer[] = [];
    for (const given of records) {
      const storedKey = dataKey({ partition: at.partition, ...given });
      const record = decodeIntact(storedKey, given.record);
      if (record === undefined) damaged.push(given);
      else offers.push(this.#offer(partition, given, storedKey, heldOf(record)));
    }
    try {
      const failure = await this.#deps.loader.knowAll(offers);
      if (failure !== undefined) return refused('STORAGE_FAILED', failure.message);
      return (await this.#write(at, partition, offers)) ?? { type: 'stored', damaged };
    } finally {
      for (const { state } of offers) this.#deps.table.release(state);
    }
  }

  #offer(partition: PartitionState, given: BulkRecord, storedKey: Uint8Array, offered: Held): Offer {
    const { namespaceId, key } = given;
    const state = this.#deps.table.acquireOnce(nameOf(storedKey), partition, namespaceId, key);
    return { given, state, storedKey, offered };
  }

  async #write(
    at: PartitionAt,
    partition: PartitionState,
    offers: readonly Offer[],
  ): Promise<PageStored | undefined> {
    for (let looks = 0; looks < LOOKS_MAX; looks++) {
      const written = this.#issue(at, partition, offers);
      if (written !== 'look-again') return await written;
      await this.#deps.space.refresh();
    }
    return refused('STORAGE_FULL', 'it is not known how much the disk has left');
  }

  /** The gate is passed in this turn, and in it the batch is issued: nothing may wait in between. */
  #issue(
    at: PartitionAt,
    partition: PartitionState,
    offers: readonly Offer[],
  ): Promise<PageStored | undefined> | 'look-again' {
    const served = this.#servedNamespaces(at, partition, offers);
    if ('code' in served) return Promise.resolve(served);
    const wanted: Offer[] = [];
    const waited: Promise<Error | undefined>[] = [];
    for (const offer of offers) {
      if (!served.ids.has(offer.given.namespaceId)) continue;
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
    const admitted = wanted.length === 0 ? 'admitted' : this.#admit(bytes);
    if (admitted === 'look-again') return admitted;
    if (admitted !== 'admitted') return Promise.resolve(admitted);
    if (wanted.length > 0) waited.push(this.#issueBatch(wanted, bytes));
    return Promise.all(waited).then(failureOf);
  }

  /** A dropped namespace has nothing to store; one that is not known yet refuses the page. */
  #servedNamespaces(
    { partition: number, epoch }: PartitionAt,
    partition: PartitionState,
    offers: readonly Offer[],
  ): { readonly ids: ReadonlySet<number> } | Extract<PageStored, { type: 'refused' }> {
    const ids = new Set<number>();
    const { gate } = this.#deps;
    for (const namespaceId of new Set(offers.map(({ given }) => given.namespaceId))) {
      const request: ReplicaRequest = {
        ...{ to: this.#options.self, partition: number, epoch, namespaceId, key: NO_KEY },
        body: { type: 'ask' },
      };
      if (gate.enter(request) === partition) ids.add(namespaceId);
      else if (gate.isDropped(namespaceId)) continue;
      else return refused('EPOCH_UNKNOWN', 'the epoch or the namespace is not served here now');
    }
    return { ids };
  }

  #judge(partition: PartitionState, { given, state, offered }: Offer): 'wanted' | 'not-needed' | PageStored {
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
    const aheadMs = offered.version.wallMs - this.#deps.clock.nowMs();
    if (aheadMs <= this.#options.skewMsMax) return 'wanted';
    return refused('CLOCK_SKEW', `a version is ${aheadMs} ms ahead of the clock here`);
  }

  #admit(bytes: number): 'admitted' | 'look-again' | PageStored {
    const { writer, space } = this.#deps;
    if (!writer.hasRoomFor(bytes))
      return refused('OVERLOADED', `${writer.backlogBytes} bytes of writes wait for the disk`);
    try {
      return space.admit(bytes, 'put') ? 'admitted' : 'look-again';
    } catch (error) {
      if (error instanceof KvError && error.code === 'STORAGE_FULL')
        return refused('STORAGE_FULL', error.message);
      throw error;
    }
  }

  #issueBatch(wanted: readonly Offer[], bytes: number): Promise<Error | undefined> {
    const operations: EngineOperation[] = [];
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

function failureOf(failures: readonly (Error | undefined)[]): PageStored | undefined {
  const failure = failures.find((each) => each !== undefined);
  return failure && refused('STORAGE_FAILED', failure.message);
}

function refused(
  code: ReplicaRefusalCode,
  message: string,
): Extract<PageStored, { readonly type: 'refused' }> {
  return { type: 'refused', code, message };
}
