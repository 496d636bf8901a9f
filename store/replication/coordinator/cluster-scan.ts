import type {
  Namespace,
  RequestOptions,
  ScanEntry,
  ScanPage,
  ScanQuery,
  ScanRange,
} from '../../storage/kv-store.ts';

/** Scans over all partitions, read at quorum. */
export type ClusterScan = {
  scanPage(namespace: Namespace, query: ScanQuery, options: RequestOptions): Promise<ScanPage>;
  scanAll(namespace: Namespace, query: ScanRange): AsyncGenerator<readonly ScanEntry[], void, void>;
};
