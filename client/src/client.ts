import { Batcher, type BatchingOptions } from './batcher.ts';
import { type Bytes, toBytes } from './bytes.ts';
import {
  bootstrap,
  clusterStatus,
  listMembers,
  readTopology,
  removeMember,
  transferLeadership,
  updateMember,
  watchTopology,
} from './cluster.ts';
import type {
  BootstrapOptions,
  ClusterStatus,
  MemberChange,
  MemberList,
  MemberUpdate,
  ReadConsistency,
  Topology,
  TopologyQuery,
} from './cluster-types.ts';
import type {
  KeyExplanation,
  KeyPlace,
  RepairStatus,
  Ring,
  VerifyProgress,
  VerifyReport,
} from './data-types.ts';
import { deleteKey, getKey, headKey, putKey } from './keys.ts';
import type { ReadOptions, WriteOptions } from './levels.ts';
import { createNamespace, deleteNamespace, getNamespace, listNamespaces } from './namespaces.ts';
import { nodeConfig, nodeStatus, readiness } from './node-status.ts';
import type {
  NewOperation,
  Operation,
  OperationChange,
  OperationList,
  OperationState,
  StopVerdict,
} from './operation-types.ts';
import {
  cancelDrain,
  cancelOperation,
  canStop,
  listOperations,
  readOperation,
  startOperation,
  stopNode,
  watchOperation,
} from './operations.ts';
import { exportRange, readPage, readPages, runBatch } from './ranges.ts';
import {
  explainKey,
  type LocalEntry,
  type LocalQuery,
  locateKey,
  readRing,
  repairStatus,
  scanLocalPages,
  verifyData,
} from './ring-calls.ts';
import { type CallOptions, Transport, type TransportOptions } from './transport.ts';
import type {
  BatchOperation,
  BatchResult,
  Entry,
  NamespaceInfo,
  NodeConfig,
  NodeStatus,
  Page,
  PageQuery,
  PutOptions,
  RangeQuery,
  Readiness,
  StoredValue,
  ValueInfo,
  Written,
} from './types.ts';

export type ClientOptions = TransportOptions & {
  /** Puts concurrent `put`, `get` and `delete` into one request per node. Default: each goes by itself. */
  readonly batching?: BatchingOptions;
};

type Asking = Pick<NewOperation, 'by' | 'force'> & CallOptions;

/**
 * A client of a cluster, or of one node. It keeps connections: one client per process is enough, and `close()` (or
 * `await using`) ends it.
 *
 * Calls throw KvorumResponseError (the node refused), KvorumTimeoutError, KvorumConnectionError, KvorumProtocolError,
 * TypeError or RangeError for wrong arguments, and the signal's reason where it aborted. Reads are retried; writes
 * only where it is known that they were not executed, or where the caller says that they are idempotent.
 */
export class KvorumClient implements AsyncDisposable {
  readonly #transport: Transport;
  readonly #batcher: Batcher | undefined;

  constructor({ batching, ...options }: ClientOptions) {
    this.#transport = new Transport(options);
    this.#batcher = batching && new Batcher(batching, this.#transport);
  }

  /** Stores `value` under `key`. Resolves when it is durable. */
  async put(
    namespace: string,
    key: Bytes,
    value: Bytes,
    options: PutOptions & WriteOptions = {},
  ): Promise<Written> {
    const bytes = toBytes(value);
    if (this.#batcher?.takes(options, bytes.length) !== true)
      return await putKey(this.#transport, namespace, key, bytes, options);
    const { ttlSeconds, contentType } = options;
    const kept = {
      ...(ttlSeconds !== undefined && { ttlSeconds }),
      ...(contentType !== undefined && { contentType }),
    };
    return await this.#batcher.write(namespace, { op: 'put', key, value, ...kept }, options);
  }

  /** The value of `key`, undefined where there is none. A missing namespace is an error. */
  async get(namespace: string, key: Bytes, options: ReadOptions = {}): Promise<StoredValue | undefined> {
    if (this.#batcher === undefined) return await getKey(this.#transport, namespace, key, options);
    return await this.#batcher.get(namespace, key, options);
  }

  /** What `get` gives, with the length of the value instead of it. Here a missing namespace looks like a missing key. */
  async head(
    namespace: string,
    key: Bytes,
    options: ReadOptions = {},
  ): Promise<(ValueInfo & { bytes: number }) | undefined> {
    return await headKey(this.#transport, namespace, key, options);
  }

  /** Deletes `key`; deleting a missing key is a success. */
  async delete(namespace: string, key: Bytes, options: WriteOptions = {}): Promise<{ version: string }> {
    if (this.#batcher?.takes(options) !== true)
      return await deleteKey(this.#transport, namespace, key, options);
    const { version } = await this.#batcher.write(namespace, { op: 'delete', key }, options);
    return { version };
  }

  /**
   * Up to 1,000 operations and 16 MiB in one request, each with its own result, in order; no transaction. Throws only
   * where the request as a whole failed.
   */
  async batch(
    namespace: string,
    operations: readonly BatchOperation[],
    options: WriteOptions = {},
  ): Promise<BatchResult[]> {
    return await runBatch(this.#transport, namespace, operations, options);
  }

  /** One page of a range. */
  async scanPage(namespace: string, query: PageQuery, options: ReadOptions = {}): Promise<Page> {
    return await readPage(this.#transport, namespace, query, options);
  }

  /** The entries of a range, a page at a time; `limit` bounds them all together, `timeoutMs` bounds each page. */
  scan(
    namespace: string,
    query: RangeQuery = {},
    options: ReadOptions = {},
  ): AsyncGenerator<Entry, void, undefined> {
    return readPages(this.#transport, namespace, query, options);
  }

  /**
   * The entries of a range, streamed at constant memory and at the caller's pace; from one consistent view where one node
   * holds everything. Throws where the stream breaks: an end without an error is the end of the range. `timeoutMs` bounds
   * each wait for the node.
   */
  export(
    namespace: string,
    query: RangeQuery = {},
    options: ReadOptions = {},
  ): AsyncGenerator<Entry, void, undefined> {
    return exportRange(this.#transport, namespace, query, options);
  }

  /**
   * Reads now who owns what. Nobody has to: the client does so by itself once it is used. Resolves with the epoch; undefined where the nodes have
   * no map, or the client is to keep to its URLs.
   */
  async refreshRing(): Promise<number | undefined> {
    return await this.#transport.refreshRing();
  }

  async listNamespaces(options?: CallOptions): Promise<NamespaceInfo[]> {
    return await listNamespaces(this.#transport, options);
  }

  /** Undefined where there is none. */
  async getNamespace(name: string, options?: CallOptions): Promise<NamespaceInfo | undefined> {
    return await getNamespace(this.#transport, name, options);
  }

  /** Makes sure that there is one. `name` is a DNS label: a-z, 0-9, inner hyphens, 63 at most. */
  async createNamespace(name: string, options?: CallOptions): Promise<{ created: boolean }> {
    return await createNamespace(this.#transport, name, options);
  }

  /** Deletes an empty namespace, or, where `confirm` repeats its name, one with all of its keys. */
  async deleteNamespace(name: string, options?: { confirm?: string } & CallOptions): Promise<void> {
    await deleteNamespace(this.#transport, name, options);
  }

  async status(options?: CallOptions): Promise<NodeStatus> {
    return await nodeStatus(this.#transport, options);
  }

  /** The settings of the node that are in effect, and what became of its settings file. */
  async config(options?: CallOptions): Promise<NodeConfig> {
    return await nodeConfig(this.#transport, options);
  }

  /** Whether the node can serve, and if not, which of its checks fail. Throws only where the node does not answer. */
  async ready(options?: CallOptions): Promise<Readiness> {
    return await readiness(this.#transport, options);
  }

  /** The cluster as this node sees it, also where there is no quorum, or no cluster yet. */
  async cluster(options?: CallOptions): Promise<ClusterStatus> {
    return await clusterStatus(this.#transport, options);
  }

  async members(options?: { consistency?: ReadConsistency } & CallOptions): Promise<MemberList> {
    return await listMembers(this.#transport, options);
  }

  /** With `after` it waits for a later epoch, and is undefined where there was none in `waitMs`. */
  topology(options?: Omit<TopologyQuery, 'after' | 'waitMs'> & CallOptions): Promise<Topology>;
  topology(options: TopologyQuery & CallOptions): Promise<Topology | undefined>;
  async topology(options?: TopologyQuery & CallOptions): Promise<Topology | undefined> {
    return await readTopology(this.#transport, options);
  }

  /**
   * The topology now, or the first behind `after`, and then each that follows, until the caller leaves the loop or
   * `signal` aborts, whose reason is thrown. A slow caller is told the newest, not each. `local` is the default here:
   * it is told of changes as the node applies them, with a leader or without.
   */
  watchTopology(
    options: Pick<TopologyQuery, 'consistency' | 'after'> & CallOptions = {},
  ): AsyncGenerator<Topology, never, undefined> {
    return watchTopology(this.#transport, options);
  }

  /** Makes a new cluster of this node. */
  async bootstrap(
    options?: BootstrapOptions & CallOptions,
  ): Promise<{ clusterId: string; created: boolean }> {
    return await bootstrap(this.#transport, options);
  }

  /** Removes a member for good. One that is gone already is an error, MEMBER_NOT_FOUND. */
  async removeMember(name: string, options?: CallOptions): Promise<MemberChange> {
    return await removeMember(this.#transport, name, options);
  }

  /**
   * Begins what is asked for; asked for again while it runs it is the same operation. Refused at once where it could never end,
   * TOO_FEW_MEMBERS.
   */
  async startOperation(operation: NewOperation, options?: CallOptions): Promise<OperationChange> {
    return await startOperation(this.#transport, operation, options);
  }

  /** Has the member give its data to the others, and removes it then. */
  async drainMember(name: string, { by, force, ...options }: Asking = {}): Promise<OperationChange> {
    return await this.startOperation({ type: 'drain', member: name, by, force }, options);
  }

  /** Ends the drain of the member; what has moved stays where it is. A success too where it does not drain. */
  async cancelDrain(name: string, options?: CallOptions): Promise<OperationChange> {
    return await cancelDrain(this.#transport, name, options);
  }

  /** Has the data of a lost member made anew from what the others hold. One that is up is refused, MEMBER_ALIVE, without `force`. */
  async replaceMember(name: string, { by, force, ...options }: Asking = {}): Promise<OperationChange> {
    return await this.startOperation({ type: 'replace', member: name, by, force }, options);
  }

  /** Has every partition go where it should be. */
  async rebalance({ by, force, ...options }: Asking = {}): Promise<OperationChange> {
    return await this.startOperation({ type: 'rebalance', by, force }, options);
  }

  /** 1 to 9 replicas of each partition. There is no operation where they are as many already. */
  async changeReplicationFactor(
    count: number,
    { by, force, ...rest }: Asking = {},
  ): Promise<OperationChange> {
    return await this.startOperation({ type: 'factor', replicationFactor: count, by, force }, rest);
  }

  /** What is being done with the data, and was done of late, oldest first; or those in one state. */
  async operations(
    options?: { state?: OperationState; consistency?: ReadConsistency } & CallOptions,
  ): Promise<OperationList> {
    return await listOperations(this.#transport, options);
  }

  /** One that is not known, or was forgotten, is an error, OPERATION_NOT_FOUND. */
  async operation(id: string, options?: { consistency?: ReadConsistency } & CallOptions): Promise<Operation> {
    return await readOperation(this.#transport, id, options);
  }

  /** What has moved stays where it is. A success too where it was cancelled; OPERATION_NOT_CANCELLABLE where it is done. */
  async cancelOperation(id: string, options?: CallOptions): Promise<OperationChange> {
    return await cancelOperation(this.#transport, id, options);
  }

  /**
   * The operation now and at each change, and at least every two seconds; the last one is what it was when it had ended. Throws where the
   * stream breaks, and the operation goes on: watch it again. `timeoutMs` bounds each wait for a sign of life.
   */
  watchOperation(
    id: string,
    options: { consistency?: ReadConsistency } & CallOptions = {},
  ): AsyncGenerator<Operation, void, undefined> {
    return watchOperation(this.#transport, id, options);
  }

  /**
   * Whether the node can be stopped now without a quorum being lost. A yes counts until its `until`: others hear of the node as stopped
   * meanwhile. `look` only asks.
   */
  async canStop(name: string, options?: { look?: boolean } & CallOptions): Promise<StopVerdict> {
    return await canStop(this.#transport, name, options);
  }

  /**
   * Stops the node that this client is given, which must be of that name: a client of one URL with `ring: false`. Nobody is asked
   * whether it can be stopped: `canStop` is.
   */
  async stopNode(name: string, options?: CallOptions): Promise<{ node: string }> {
    return await stopNode(this.#transport, name, options);
  }

  /** Weight, zone, or both. */
  async updateMember(name: string, update: MemberUpdate, options?: CallOptions): Promise<MemberChange> {
    return await updateMember(this.#transport, name, update, options);
  }

  /** Hands the leadership to the voter `to`, or to the one that the leader chooses; resolves with the new leader. */
  async transferLeadership(options?: { to?: string } & CallOptions): Promise<{ leader: string }> {
    return await transferLeadership(this.#transport, options);
  }

  /** Who owns what, as this node has applied it. */
  async ring(options?: CallOptions): Promise<Ring> {
    return await readRing(this.#transport, options);
  }

  /** Slot, partition and replicas of `key`. */
  async locate(key: Bytes, options?: CallOptions): Promise<KeyPlace> {
    return await locateKey(this.#transport, key, options);
  }

  /** Whether `key` is safe, in words, and what each of its replicas holds. */
  async explain(namespace: string, key: Bytes, options?: CallOptions): Promise<KeyExplanation> {
    return await explainKey(this.#transport, namespace, key, options);
  }

  /** Compares all replicas now, or those of one member; `timeoutMs` bounds each wait for a sign of life. */
  async verify(
    options: { node?: string; onProgress?: (progress: VerifyProgress) => void } & CallOptions = {},
  ): Promise<VerifyReport> {
    return await verifyData(this.#transport, options, options);
  }

  /** What this node itself holds of a range, whatever the other replicas have, a page at a time. */
  scanLocal(
    namespace: string,
    query: LocalQuery = {},
    options?: CallOptions,
  ): AsyncGenerator<LocalEntry, void, undefined> {
    return scanLocalPages(this.#transport, namespace, query, options);
  }

  /** What repairs this node: hints, exchanges, trees. */
  async repair(options?: CallOptions): Promise<RepairStatus> {
    return await repairStatus(this.#transport, options);
  }

  /** Takes no more calls, waits for those under way and closes the connections. */
  async close(): Promise<void> {
    await this.#transport.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
