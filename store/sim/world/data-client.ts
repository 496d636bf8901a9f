import { ClusterError } from '../../cluster/cluster-admin.ts';
import type { Prng } from '../../core/prng/prng.ts';
import { formatVersion } from '../../core/version/version.ts';
import { KvError } from '../../storage/errors.ts';
import type {
  BatchOperation,
  KvStore,
  LiveRecord,
  RequestOptions,
  WriteResult,
} from '../../storage/kv-store.ts';
import type { OpenRead, OpenWrite } from '../checkers/key-history.ts';
import { wallMsAt } from '../node-clock.ts';
import type { DataPlan } from './data-plan.ts';
import type { DataWatch } from './data-watch.ts';
import type { Machine } from './machine.ts';
import type { SimWorld } from './world.ts';

/** What came of the requests for keys. */
export type DataOutcomes = {
  acknowledged: number;
  refused: number;
  unknown: number;
  found: number;
  absent: number;
  readsFailed: number;
  /** Refused since no partition was placed, or no data can be served yet. */
  forming: number;
};

export const noDataOutcomes = (): DataOutcomes => ({
  ...{ acknowledged: 0, refused: 0, unknown: 0 },
  ...{ found: 0, absent: 0, readsFailed: 0, forming: 0 },
});

/** A client that sends one request to one node. */
export type DataClient = {
  readonly world: SimWorld;
  readonly plan: DataPlan;
  readonly prng: Prng;
  readonly machine: Machine;
  readonly store: KvStore;
  readonly watch: DataWatch;
  readonly outcomes: DataOutcomes;
  /** Whether who is asked still lives: what a dead process would have said nobody hears. */
  isHeard(): boolean;
};

export const ttlKey = (number: number): string => `ttl-${number}`;
const isExpiring = (key: string): boolean => key.startsWith('ttl-');

export function anyKey({ plan, prng }: DataClient): string {
  const number = prng.below(plan.keys + plan.expiringKeys);
  return number < plan.keys ? `key-${number}` : ttlKey(number - plan.keys);
}

/** Each value is written once, and says which key it is of; some are longer. */
function nextValue({ world, plan, prng }: DataClient, key: string): string {
  const value = `${key}=${world.nextNumber()}`;
  return prng.below(4) === 0 ? value.padEnd(prng.below(plan.valueBytesMax), '.') : value;
}

/** Mostly the defaults; a level of 1 promises nothing and is checked for nothing. */
export function drawOptions({ prng }: DataClient): RequestOptions {
  const drawn = prng.below(40);
  if (drawn === 0) return { r: 1, w: 1 };
  if (drawn === 1) return { r: 'all', w: 'all' };
  return drawn < 5 ? { timeoutMs: 10 + prng.below(300) } : {};
}

/**
 * A write still asks R replicas: stamped above what a single one has, it may come to lie below what was read before it began, and is then
 * shown, now and then, to readers that were under way. Such a write is in no order with others, and no history says that it should be.
 */
export function drawWriteOptions(client: DataClient): RequestOptions {
  const options = drawOptions(client);
  return options.r === 1 ? { w: 1 } : options;
}

export type PendingWrite = {
  readonly key: string;
  readonly operation: BatchOperation & { readonly type: 'put' | 'delete' };
  readonly open: OpenWrite;
};

export function beginWrite(client: DataClient, key: string, isPut: boolean): PendingWrite {
  const { watch, machine, prng } = client;
  const history = watch.historyOf(key);
  const bytes = Buffer.from(key);
  if (!isPut)
    return { key, operation: { type: 'delete', key: bytes }, open: history.beginDelete(machine.name) };
  const ttlSeconds = isExpiring(key) && prng.below(4) > 0 ? 1 + prng.below(4) : undefined;
  const value = nextValue(client, key);
  const expiresAtMs = ttlSeconds === undefined ? undefined : wallMsOf(client) + 1000 * ttlSeconds;
  const open = history.beginPut(machine.name, value, expiresAtMs);
  return { key, operation: { type: 'put', key: bytes, value: Buffer.from(value), ttlSeconds }, open };
}

function wallMsOf({ machine, world }: DataClient): number {
  return wallMsAt(machine.clock, world.timeline.nowMs);
}

export function wrote(
  client: DataClient,
  { key, open, operation }: PendingWrite,
  { version }: WriteResult,
  { w }: RequestOptions,
): void {
  const { world, machine, watch, outcomes } = client;
  if (!client.isHeard()) return;
  if (w === 1) {
    outcomes.unknown += 1;
    return;
  }
  outcomes.acknowledged += 1;
  world.trace.note(`${machine.name}: ${operation.type} ${key}`, () => formatVersion(version));
  world.guard(() => {
    open.acknowledged(version);
    watch.answered(key, version, w === 'all' ? 'all' : 'quorum');
  });
}

/** Certain that nothing was written, also where the error does not say so. */
const UNWRITTEN: ReadonlySet<string> = new Set([
  'CLUSTER_FORMING',
  'CLUSTER_WAITING',
  'MEMBER_EXCLUDED',
  'NAMESPACE_NOT_FOUND',
  'OVERLOADED',
  'STORAGE_FULL',
]);

export function notWritten(client: DataClient, { key, open, operation }: PendingWrite, error: unknown): void {
  const { world, machine, outcomes } = client;
  if (!client.isHeard()) {
    outcomes.unknown += 1;
    return;
  }
  const code = codeOf(error);
  const isRefused = !isUnknown(client, error);
  outcomes[isRefused ? 'refused' : 'unknown'] += 1;
  world.trace.note(`${machine.name}: ${operation.type} ${key}: ${code}`, () => String(error));
  if (isRefused) world.guard(() => open.refused());
}

export type PendingRead = { readonly key: string; readonly open: OpenRead; readonly wallMs: number };

export function beginRead(client: DataClient, key: string): PendingRead {
  return { key, open: client.watch.historyOf(key).beginRead(client.machine.name), wallMs: wallMsOf(client) };
}

export function sawRecord(
  client: DataClient,
  { key, open, wallMs }: PendingRead,
  record: LiveRecord | undefined,
): void {
  const { world, machine, watch, outcomes } = client;
  if (!client.isHeard()) return;
  if (record === undefined) {
    outcomes.absent += 1;
    world.trace.note(`${machine.name}: ${key} is not there`);
    world.guard(() => open.absent(world.latestWall.nowMs));
    return;
  }
  outcomes.found += 1;
  const { version, expiresAtMs } = record;
  const value = Buffer.from(record.value).toString();
  world.trace.note(`${machine.name}: ${key} is there`, () => `${value} ${formatVersion(version)}`);
  world.guard(() => {
    open.found({ version, value, expiresAtMs }, Math.min(wallMs, wallMsOf(client)));
    // However many were asked, a quorum of the set holds it before it is told.
    watch.answered(key, version, 'quorum');
  });
}

export function notRead(client: DataClient, error: unknown): void {
  if (!client.isHeard()) return;
  const code = codeOf(error);
  client.outcomes[code === 'CLUSTER_FORMING' ? 'forming' : 'readsFailed'] += 1;
  client.world.trace.note(`${client.machine.name}: read: ${code}`, () => String(error));
}

/** Whether the write may have been done, or may be done yet. */
export function isUnknown(client: DataClient, error: unknown): boolean {
  if (!client.isHeard()) return true;
  const code = codeOf(error);
  const told = error instanceof KvError ? error.data.outcome : undefined;
  return told === undefined ? !UNWRITTEN.has(code) : told === 'unknown';
}

/** What a request may fail with; throws anything else. */
function codeOf(error: unknown): string {
  if (error instanceof KvError || error instanceof ClusterError) return error.code;
  // A disk that fails to read says so, and is tried again.
  if (error instanceof Error && error.message.startsWith('EIO')) return 'EIO';
  throw error;
}
