import type { BulkPage } from '../../peer/bulk-page.ts';
import type { PartitionAt } from '../../peer/data-messages.ts';
import type { EngineOperation } from '../../storage/engine.ts';
import { keyAt } from '../../storage/packed-entries.ts';
import type { VersionSource } from '../../storage/version-source.ts';
import type { Damage } from './damage.ts';
import type { KeyTable } from './key-table.ts';
import { isPageRefused, type PageAdmission, type PageStored, refused } from './page-admission.ts';
import { PageUnderWay } from './page-under-way.ts';
import type { PartitionState } from './partition-state.ts';
import { type FreshPage, readFreshPage } from './read-fresh-page.ts';
import type { Writer } from './writer.ts';

export type FreshPageStoreDeps = {
  readonly versions: Pick<VersionSource, 'observe'>;
  readonly admission: PageAdmission;
  readonly table: KeyTable;
  readonly damage: Damage;
  readonly writer: Writer;
};

/** This way does not do for the page. */
export type KeyByKey = 'key-by-key';

/**
 * Stores a page of the bulk where there is nothing to look up or to compare with: the partition holds nothing but the pages before it,
 * all below it, since it was emptied, and nobody has asked for a key of it. Then no key needs a state in memory, and a page costs little
 * more than its bytes. What comes to a page meanwhile finds it through the partition (`PageUnderWay`).
 */
export class FreshPageStore {
  readonly #deps: FreshPageStoreDeps;

  constructor(deps: FreshPageStoreDeps) {
    this.#deps = deps;
  }

  store(at: PartitionAt, partition: PartitionState, page: BulkPage): Promise<PageStored | KeyByKey> {
    return this.#deps.admission.withSpaceKnown(() => this.#issue(at, partition, page));
  }

  /** The gate is passed in this turn, and in it the batch is issued. */
  #issue(
    at: PartitionAt,
    partition: PartitionState,
    page: BulkPage,
  ): Promise<PageStored | KeyByKey> | 'look-again' {
    const { admission, damage } = this.#deps;
    const { pagesEnd: after, watermark } = partition;
    const isUntouched = partition.keys.size === 0 && partition.page === undefined && !damage.isIn(partition);
    if (after === undefined || !partition.isFilling || !isUntouched) return Promise.resolve('key-by-key');
    const fresh = readFreshPage(page, { after, watermark });
    if (fresh === undefined) return Promise.resolve('key-by-key');
    const served = admission.servedOf(fresh.namespaceIds, at, partition);
    if (isPageRefused(served)) return Promise.resolve(served);
    if (served.size < fresh.namespaceIds.size) return Promise.resolve('key-by-key');
    const verdict = admission.whySkewed(fresh.highest) ?? admission.admit(fresh.bytes);
    if (verdict === 'look-again') return verdict;
    if (verdict !== 'admitted') return Promise.resolve(verdict);
    return this.#write(partition, fresh);
  }

  #write(partition: PartitionState, fresh: FreshPage): Promise<PageStored> {
    const { versions, writer, table } = this.#deps;
    versions.observe(fresh.highest);
    const page = new PageUnderWay(partition, fresh, { table });
    // Not a part of the page, which it would keep in memory.
    const last = Uint8Array.from(keyAt(fresh.page, fresh.page.count - 1));
    const operations: EngineOperation[] = [{ type: 'put-entries', entries: fresh.page }, ...fresh.indexPuts];
    return new Promise((resolve) => {
      const waiter = (failure: Error | undefined): void =>
        resolve(
          failure === undefined
            ? { type: 'stored', damaged: [] }
            : refused('STORAGE_FAILED', failure.message),
        );
      writer.issuePage({ page, last, waiter }, operations, fresh.bytes);
    });
  }
}
