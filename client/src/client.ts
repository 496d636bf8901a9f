import { batchResults, batchToJson } from './batch.ts';
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
import { type ReadLevels, type WriteLevels, withLevels } from './levels.ts';
import { createNamespace, deleteNamespace, getNamespace, listNamespaces } from './namespaces.ts';
import { lines } from './ndjson.ts';
import { nodeStatus, readiness } from './node-status.ts';
import { queryOf } from './query.ts';
import { isMissing, keyPath, namespacePath, read } from './requests.ts';
import {
  explainKey,
  type LocalEntry,
  type LocalQuery,
  locateKey,
  readRing,
  repairStatus,
  scanLocalPage,
  verifyData,
} from './ring-calls.ts';
import { type CallOptions, type Request, Transport, type TransportOptions } from './transport.ts';
import type {
  BatchOperation,
  BatchResult,
  Entry,
  NamespaceInfo,
  NodeStatus,
  Page,
  PageQuery,
  PutOptions,
  RangeQuery,
  Readiness,
  StoredValue,
  ValueInfo,
} from './types.ts';
import { arrayIn, entryOf, expiryOf, infoOf, jsonOf, optionalString, parseJson, versionOf } from './wire.ts';

const PAGE_ENTRIES_MAX = 1000;
const JSON_HEADERS = { 'content-type': 'application/json' };

/**
 * A client of one node. It keeps connections: one client per process is enough, and `close()` (or `await using`) ends
 * it.
 *
 * Calls throw KvorumResponseError (the node refused), KvorumTimeoutError, KvorumConnectionError, KvorumProtocolError,
 * TypeError or RangeError for wrong arguments, and the signal's reason where it aborted. Reads are retried; writes
 * only where it is known that they were not executed.
 */
export class KvorumClient implements AsyncDisposable {
  readonly #transport: Transport;

  constructor(options: TransportOptions) {
    this.#transport = new Transport(options);
  }

  /** Stores `value` under `key`. Resolves when it is durable. */
  async put(
    namespace: string,
    key: Bytes,
    value: Bytes,
    options: PutOptions & WriteLevels & CallOptions = {},
  ): Promise<{ version: string; expiresAt: Date | undefined }> {
    const { ttlSeconds, contentType } = options;
    const path = keyPath(namespace, key) + (ttlSeconds === undefined ? '' : `?ttl=${ttlSeconds}`);
    const headers: Record<string, string> = contentType === undefined ? {} : { 'content-type': contentType };
    const request: Request = {
      method: 'PUT',
      path: withLevels(path, options),
      isRead: false,
      headers,
      body: toBytes(value),
    };
    const answer = await this.#transport.call(request, options);
    return { version: versionOf(answer), expiresAt: expiryOf(answer) };
  }

  /** The value of `key`, undefined where there is none. A missing namespace is an error. */
  async get(
    namespace: string,
    key: Bytes,
    options?: ReadLevels & CallOptions,
  ): Promise<StoredValue | undefined> {
    const path = withLevels(keyPath(namespace, key), options);
    const answer = await this.#transport.call({ ...read(path), statuses: [404] }, options);
    if (isMissing(answer, 'KEY_NOT_FOUND')) return undefined;
    return { ...infoOf(answer), value: answer.body };
  }

  /** What `get` gives, with the length of the value instead of it. Here a missing namespace looks like a missing key. */
  async head(
    namespace: string,
    key: Bytes,
    options?: CallOptions,
  ): Promise<(ValueInfo & { bytes: number }) | undefined> {
    const request: Request = { method: 'HEAD', path: keyPath(namespace, key), isRead: true, statuses: [404] };
    const answer = await this.#transport.call(request, options);
    if (answer.status === 404) return undefined;
    return { ...infoOf(answer), bytes: Number(answer.headers['content-length']) };
  }

  /** Deletes `key`; deleting a missing key is a success. */
  async delete(
    namespace: string,
    key: Bytes,
    options?: WriteLevels & CallOptions,
  ): Promise<{ version: string }> {
    const path = withLevels(keyPath(namespace, key), options);
    const request: Request = { method: 'DELETE', path, isRead: false };
    return { version: versionOf(await this.#transport.call(request, options)) };
  }

  /**
   * Up to 1,000 operations and 16 MiB in one request, each with its own result, in order; no transaction. Throws only
   * where the request as a whole failed.
   */
  async batch(
    namespace: string,
    operations: readonly BatchOperation[],
    options?: WriteLevels & CallOptions,
  ): Promise<BatchResult[]> {
    const isRead = operations.every(({ op }) => op === 'get');
    const path = withLevels(`${namespacePath(namespace)}:batch`, options);
    const request: Request = {
      method: 'POST',
      path,
      isRead,
      headers: JSON_HEADERS,
      body: batchToJson(operations),
    };
    return batchResults(operations, jsonOf(await this.#transport.call(request, options)));
  }

  /** One page of a range. */
  async scanPage(namespace: string, query: PageQuery, options?: ReadLevels & CallOptions): Promise<Page> {
    const path = withLevels(namespacePath(namespace) + queryOf(query), options);
    const json = jsonOf(await this.#transport.call(read(path), options));
    return { entries: arrayIn(json, 'entries').map(entryOf), cursor: optionalString(json, 'cursor') };
  }

  /** The entries of a range, a page at a time; `limit` bounds them all together, `timeoutMs` bounds each page. */
  async *scan(
    namespace: string,
    query: RangeQuery = {},
    options?: ReadLevels & CallOptions,
  ): AsyncGenerator<Entry, void, undefined> {
    let remaining = query.limit ?? Number.POSITIVE_INFINITY;
    let cursor: string | undefined;
    do {
      const limit = Math.min(remaining, PAGE_ENTRIES_MAX);
      const pageQuery = { ...query, limit, ...(cursor !== undefined && { cursor }) };
      const page = await this.scanPage(namespace, pageQuery, options);
      yield* page.entries;
      remaining -= page.entries.length;
      cursor = page.cursor;
    } while (cursor !== undefined && remaining > 0);
  }

  /**
   * The entries of a range from one consistent view, streamed at constant memory and at the caller's pace. Throws where
   * the stream breaks: an end without an error is the end of the range. `timeoutMs` bounds each wait for the node.
   */
  async *export(
    namespace: string,
    query: RangeQuery = {},
    options?: CallOptions,
  ): AsyncGenerator<Entry, void, undefined> {
    const request = {
      ...read(namespacePath(namespace) + queryOf(query)),
      headers: { accept: 'application/x-ndjson' },
    };
    for await (const line of lines(this.#transport.stream(request, options))) yield entryOf(parseJson(line));
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

  /** `weight` is 1..1000. */
  async updateMember(name: string, update: { weight: number }, options?: CallOptions): Promise<MemberChange> {
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
  async *scanLocal(
    namespace: string,
    query: LocalQuery = {},
    options?: CallOptions,
  ): AsyncGenerator<LocalEntry, void, undefined> {
    let remaining = query.limit ?? Number.POSITIVE_INFINITY;
    let { cursor } = query;
    do {
      const limit = Math.min(remaining, PAGE_ENTRIES_MAX);
      const pageQuery = { ...query, limit, ...(cursor !== undefined && { cursor }) };
      const page = await scanLocalPage(this.#transport, namespace, pageQuery, options);
      yield* page.entries;
      remaining -= page.entries.length;
      cursor = page.cursor;
    } while (cursor !== undefined && remaining > 0);
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
