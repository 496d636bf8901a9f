import type { Prng } from '../../core/prng/prng.ts';
import { DEFAULT_NAMESPACE } from '../../core/topology/genesis.ts';
import type { BatchOutcome, RequestOptions, WriteResult } from '../../storage/kv-store.ts';
import {
  anyKey,
  beginRead,
  beginWrite,
  type DataClient,
  type DataOutcomes,
  drawOptions,
  drawWriteOptions,
  isUnknown,
  notRead,
  notWritten,
  type PendingRead,
  type PendingWrite,
  sawRecord,
  wrote,
} from './data-client.ts';
import type { DataPlan } from './data-plan.ts';
import { scan, scanAll } from './data-scan.ts';
import type { Machine } from './machine.ts';
import { pick } from './pick.ts';
import type { SimWorld } from './world.ts';

/** With their weights. */
const OPERATIONS: readonly (readonly [number, (client: DataClient) => Promise<void>])[] = [
  [8, (client) => write(client, true)],
  [3, (client) => write(client, false)],
  [10, (client) => get(client, anyKey(client), drawOptions(client))],
  [2, batch],
  [1, scan],
  [1, scanAll],
];

const WEIGHT_SUM = OPERATIONS.reduce((sum, [weight]) => sum + weight, 0);

/** Clients come one after the other for as long as the run is not calm, each with one request. */
export function startDataWorkload(world: SimWorld, plan: DataPlan, prng: Prng, outcomes: DataOutcomes): void {
  const next = (): void => {
    if (world.isCalm) return;
    operate(world, plan, prng, outcomes);
    world.later(prng.unit() * 2 * plan.operationEveryMs, next);
  };
  world.later(prng.unit() * plan.operationEveryMs, next);
}

/** Every key, read through `machine`. */
export async function readAll(
  world: SimWorld,
  plan: DataPlan,
  machine: Machine,
  prng: Prng,
  outcomes: DataOutcomes,
): Promise<void> {
  const client = clientOf(world, plan, machine, prng, outcomes);
  if (client?.watch.isPlaced === true)
    await Promise.all(client.watch.keys.map((key) => get(client, key, {})));
}

function operate(world: SimWorld, plan: DataPlan, prng: Prng, outcomes: DataOutcomes): void {
  const running = world.machines.filter(({ node }) => node !== undefined);
  const machine = pick(running, prng);
  const client = machine && clientOf(world, plan, machine, prng, outcomes);
  if (client === undefined) return;
  let left = prng.below(WEIGHT_SUM);
  for (const [weight, operation] of OPERATIONS) {
    left -= weight;
    if (left >= 0) continue;
    operation(client).catch((error: unknown) => world.fail(error));
    return;
  }
}

function clientOf(
  world: SimWorld,
  plan: DataPlan,
  machine: Machine,
  prng: Prng,
  outcomes: DataOutcomes,
): DataClient | undefined {
  const { node, log, life } = machine;
  if (node === undefined || log.identity === undefined || machine.isRolledBack) return undefined;
  const watch = world.dataOf(log.identity.clusterId);
  const isHeard = (): boolean => life?.process.isAlive === true;
  return { world, plan, prng, machine, store: node.store, watch, outcomes, isHeard };
}

/** One in six carries an idempotency key, and is tried once more where its outcome is unknown: it is still one write. */
async function write(client: DataClient, isPut: boolean): Promise<void> {
  const pending = beginWrite(client, anyKey(client), isPut);
  const isRepeatable = client.prng.below(6) === 0;
  const idempotencyKey = isRepeatable ? `${client.machine.name} ${client.world.nextNumber()}` : undefined;
  const options = { ...drawWriteOptions(client), idempotencyKey };
  try {
    wrote(client, pending, await send(client, pending, options), options);
  } catch (error) {
    if (!isRepeatable || !isUnknown(client, error)) return notWritten(client, pending, error);
    await repeat(client, pending, options);
  }
}

function send(
  { store }: DataClient,
  { operation }: PendingWrite,
  options: RequestOptions,
): Promise<WriteResult> {
  return operation.type === 'put'
    ? store.put(DEFAULT_NAMESPACE, operation.key, operation, options)
    : store.delete(DEFAULT_NAMESPACE, operation.key, options);
}

/** However the second try fails, the first one may take effect yet. */
async function repeat(client: DataClient, pending: PendingWrite, options: RequestOptions): Promise<void> {
  const { world, prng, outcomes } = client;
  await new Promise<void>((resolve) => world.later(prng.unit() * 1000, resolve));
  try {
    wrote(client, pending, await send(client, pending, options), options);
  } catch (error) {
    isUnknown(client, error);
    outcomes.unknown += 1;
  }
}

async function get(client: DataClient, key: string, options: RequestOptions): Promise<void> {
  const pending = beginRead(client, key);
  try {
    const record = await client.store.get(DEFAULT_NAMESPACE, Buffer.from(key), options);
    if (options.r !== 1) sawRecord(client, pending, record);
  } catch (error) {
    notRead(client, error);
  }
}

/** Each key at most once: what two operations of a batch on one key do to each other is said nowhere else. */
async function batch(client: DataClient): Promise<void> {
  const { prng } = client;
  const options = drawWriteOptions(client);
  const keys = new Set(Array.from({ length: 1 + prng.below(5) }, () => anyKey(client)));
  const pending = [...keys].map((key) =>
    prng.below(3) === 0 ? beginRead(client, key) : beginWrite(client, key, prng.below(3) > 0),
  );
  const operations = pending.map((each) =>
    'operation' in each ? each.operation : { type: 'get' as const, key: Buffer.from(each.key) },
  );
  const outcomes = await client.store
    .batch(DEFAULT_NAMESPACE, operations, options)
    .catch((error: unknown) => pending.map((): BatchOutcome => ({ type: 'error', error: error as Error })));
  for (const [i, each] of pending.entries()) settle(client, each, outcomes[i] as BatchOutcome, options);
}

function settle(
  client: DataClient,
  pending: PendingRead | PendingWrite,
  outcome: BatchOutcome,
  options: RequestOptions,
): void {
  if ('operation' in pending) {
    if (outcome.type === 'error') notWritten(client, pending, outcome.error);
    else if (outcome.type !== 'get') wrote(client, pending, outcome.result, options);
  } else if (outcome.type === 'error') notRead(client, outcome.error);
  else if (outcome.type === 'get' && options.r !== 1) sawRecord(client, pending, outcome.record);
}
