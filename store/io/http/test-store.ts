import { compareBytes, prefixEnd } from '../../core/bytes/bytes.ts';
import { KvError } from '../../storage/errors.ts';
import {
  type BatchOperation,
  type BatchOutcome,
  expiryOf,
  type KvStore,
  type LiveRecord,
  type Namespace,
  type PutWrite,
  type ReplicaSaid,
  type RequestOptions,
  type ScanEntry,
  type ScanPage,
  type ScanQuery,
  type ScanRange,
  type WriteResult,
} from '../../storage/kv-store.ts';

const PAGE_ENTRIES = 256;

/** A KvStore in memory, faithful but for durability. A test makes it slow or failing through its fields. */
export class TestStore implements KvStore {
  /** Awaited before each operation on data. */
  gate: Promise<void> | undefined;
  /** Thrown by each operation on data. */
  failure: Error | undefined;
  /** What each operation on data was asked with, in order. */
  readonly asked: (RequestOptions | undefined)[] = [];
  /** What the replicas are said to have said, to a request that wants to know. */
  replicas: readonly ReplicaSaid[] = [{ member: 1, name: 'node-1', said: 'held' }];
  /** Views that are open now. */
  openViews = 0;
  readonly #namespaces = new Map<string, Namespace>();
  readonly #data = new Map<string, Map<string, LiveRecord>>();
  #writes = 0;

  constructor() {
    this.#add('default');
  }

  async get(namespace: string, key: Uint8Array, options?: RequestOptions): Promise<LiveRecord | undefined> {
    await this.#enter(options);
    const records = this.#records(namespace);
    const record = records.get(text(key));
    return record === undefined || isExpired(record) ? undefined : record;
  }

  async put(
    namespace: string,
    key: Uint8Array,
    write: PutWrite,
    options?: RequestOptions,
  ): Promise<WriteResult> {
    await this.#enter(options);
    const { value, contentType } = write;
    const expiresAtMs = expiryOf(write, Date.now());
    const record = { version: this.#stamp(), value: Buffer.from(value), contentType, expiresAtMs };
    this.#records(namespace).set(text(key), record);
    return { version: record.version, expiresAtMs };
  }

  async delete(namespace: string, key: Uint8Array, options?: RequestOptions): Promise<WriteResult> {
    await this.#enter(options);
    this.#records(namespace).delete(text(key));
    return { version: this.#stamp(), expiresAtMs: undefined };
  }

  async batch(
    namespace: string,
    operations: readonly BatchOperation[],
    options?: RequestOptions,
  ): Promise<BatchOutcome[]> {
    if (options !== undefined) this.asked.push(options);
    this.#records(namespace);
    const outcomes: BatchOutcome[] = [];
    for (const operation of operations) outcomes.push(await this.#one(namespace, operation));
    return outcomes;
  }

  async scan(namespace: string, query: ScanQuery, options?: RequestOptions): Promise<ScanPage> {
    await this.#enter(options);
    const { after, reverse, limit } = query;
    const isLater = ({ key }: ScanEntry): boolean =>
      after === undefined || (reverse === true ? compareBytes(key, after) < 0 : compareBytes(key, after) > 0);
    const left = this.#range(namespace, query).filter(isLater);
    const entries = left.slice(0, limit);
    return { entries, resumeAfter: left.length > limit ? entries.at(-1)?.key : undefined };
  }

  async *scanAll(namespace: string, range: ScanRange): AsyncGenerator<readonly ScanEntry[], void, void> {
    await this.#enter();
    const entries = this.#range(namespace, range);
    this.openViews++;
    try {
      for (let at = 0; at < entries.length; at += PAGE_ENTRIES) {
        if (at > 0) await this.#enter();
        yield entries.slice(at, at + PAGE_ENTRIES);
      }
    } finally {
      this.openViews--;
    }
  }

  listNamespaces(): readonly Namespace[] {
    return [...this.#namespaces.values()];
  }

  getNamespace(name: string): Namespace | undefined {
    return this.#namespaces.get(name);
  }

  async createNamespace(name: string): Promise<{ namespace: Namespace; created: boolean }> {
    const known = this.#namespaces.get(name);
    return { namespace: known ?? this.#add(name), created: known === undefined };
  }

  async deleteNamespace(name: string, confirm: string | undefined): Promise<void> {
    const size = this.#records(name).size;
    if (name === 'default') throw new KvError('NAMESPACE_PROTECTED', 'default cannot be deleted');
    if (size > 0 && confirm !== name) throw new KvError('NAMESPACE_NOT_EMPTY', `${name} holds ${size} keys`);
    this.#namespaces.delete(name);
    this.#data.delete(name);
  }

  /** Synchronous unless a test asked for more, so that a benchmark measures the server. */
  #enter(options?: RequestOptions): Promise<void> | undefined {
    if (options !== undefined) {
      this.asked.push(options);
      options.onReplicas?.(this.replicas);
    }
    if (this.failure !== undefined) throw this.failure;
    return this.gate;
  }

  async #one(namespace: string, operation: BatchOperation): Promise<BatchOutcome> {
    const { type, key } = operation;
    try {
      if (type === 'get') return { type, record: await this.get(namespace, key) };
      if (type === 'delete') return { type, result: await this.delete(namespace, key) };
      return { type, result: await this.put(namespace, key, operation) };
    } catch (error) {
      return { type: 'error', error: error as Error };
    }
  }

  #range(namespace: string, { prefix, start, end, reverse, keysOnly }: ScanRange): ScanEntry[] {
    const above = prefix === undefined ? undefined : prefixEnd(prefix);
    const entries = Array.from(this.#records(namespace), ([key, record]) => ({
      key: Buffer.from(key, 'latin1'),
      record: keysOnly === true ? { ...record, value: new Uint8Array() } : record,
    }))
      .filter(
        ({ key, record }) => !isExpired(record) && (prefix === undefined || compareBytes(key, prefix) >= 0),
      )
      .filter(({ key }) => above === undefined || compareBytes(key, above) < 0)
      .filter(({ key }) => start === undefined || compareBytes(key, start) >= 0)
      .filter(({ key }) => end === undefined || compareBytes(key, end) < 0)
      .sort((a, b) => compareBytes(a.key, b.key));
    return reverse === true ? entries.reverse() : entries;
  }

  #records(namespace: string): Map<string, LiveRecord> {
    const records = this.#data.get(namespace);
    if (records !== undefined) return records;
    throw new KvError('NAMESPACE_NOT_FOUND', `There is no namespace "${namespace}".`, { namespace });
  }

  #add(name: string): Namespace {
    const id = this.#namespaces.size + 1;
    const namespace: Namespace = { name, id, consistency: 'quorum', createdAtMs: Date.now() };
    this.#namespaces.set(name, namespace);
    this.#data.set(name, new Map());
    return namespace;
  }

  #stamp(): LiveRecord['version'] {
    this.#writes++;
    return { wallMs: 1_764_000_000_000 + this.#writes, counter: 0, member: 1 };
  }
}

function text(key: Uint8Array): string {
  return Buffer.from(key).toString('latin1');
}

function isExpired(record: LiveRecord): boolean {
  return record.expiresAtMs !== undefined && record.expiresAtMs <= Date.now();
}
