import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { TestDirectory } from '../e2e/lib/test-directory.ts';
import type { RawCluster } from '../operator/reconcile/kinds.ts';
import { type Figure, quantile, report, round } from './lib/report.ts';
import { type AuditedCall, isWrite, tally } from './operator/audit-log.ts';
import { between, type OperatorProcess, type Series } from './operator/operator-process.ts';
import { OperatorWorld } from './operator/world.ts';

/**
 * `./dev.sh bench operator`: a real operator process on a real API server (etcd and kube-apiserver of e2e/kube, nothing else). What controllers
 * and kubelets would write, and what stores would answer, comes from stand-ins in this process; no pod runs. All KVClusters are applied at once.
 * Calls are counted from the server's audit log.
 */
const { values: flags } = parseArgs({
  options: {
    clusters: { type: 'string', default: '100' },
    few: { type: 'string', default: '10' },
    'idle-seconds': { type: 'string', default: '60' },
  },
});
const count = Number(flags.clusters);
const few = Number(flags.few);
const idleSeconds = Number(flags['idle-seconds']);
/** Memory is looked at when collections of what start or creation left behind had their time. */
const QUIET_MS = 20_000;
const FEW = 'few';
const MANY = 'many';
const RECONCILE = 'kvorum_operator_reconcile_duration_seconds';
const CHILDREN: ReadonlySet<string> = new Set([
  ...['serviceaccounts', 'configmaps', 'services', 'networkpolicies', 'poddisruptionbudgets', 'statefulsets'],
]);
/** Two Services, and one of each other. */
const CHILDREN_OF_EACH = CHILDREN.size + 1;

const figures: Record<string, Figure> = {};
function tell(name: string, value: number, unit: string): void {
  figures[name] = { value: round(value, value < 10 ? 3 : 1), unit };
  process.stderr.write(`${name}: ${figures[name].value} ${unit}\n`);
}

function clusterAt(index: number): RawCluster {
  const namespace = index < few ? FEW : MANY;
  return { metadata: { namespace, name: `kv-${String(index).padStart(3, '0')}` }, spec: {} } as RawCluster;
}

const isOperators = ({ user }: AuditedCall): boolean => user === 'operator';

/** From the answer to the creation of each KVCluster to that to the creation of the last of its children. */
function tellChildren(calls: readonly AuditedCall[]): void {
  const created = calls.filter(
    ({ resource, verb, user }) => resource === 'kvclusters' && verb === 'create' && user === 'admin',
  );
  const children = calls.filter(
    (call) => isOperators(call) && CHILDREN.has(call.resource) && call.code === 201,
  );
  const startMs = Math.min(...created.map(({ atMs }) => atMs));
  const times = created.map(({ namespace, name, atMs }) => {
    const own = children.filter(
      (child) => child.namespace === namespace && child.name.replace(/-(peers|config)$/, '') === name,
    );
    if (own.length !== CHILDREN_OF_EACH)
      throw new Error(`${name} has ${own.length} children: ${own.map((each) => each.resource)}`);
    return {
      ofOneMs: Math.max(...own.map((child) => child.atMs)) - atMs,
      ofAllMs: Math.max(...own.map((child) => child.atMs)) - startMs,
    };
  });
  const ofOne = times.map(({ ofOneMs }) => ofOneMs / 1000);
  tell('all children of one, p50', quantile(ofOne, 0.5), 's');
  tell('all children of one, p99', quantile(ofOne, 0.99), 's');
  tell('all children of all', Math.max(...times.map(({ ofAllMs }) => ofAllMs)) / 1000, 's');
}

function tellReconciles(phase: string, before: Series, after: Series): void {
  const { count: reconciles, sum, upTo } = between(before, after, RECONCILE);
  tell(`${phase}: reconciles`, reconciles, '');
  tell(`${phase}: mean reconcile`, (1000 * sum) / reconciles, 'ms');
  tell(`${phase}: p50 of reconciles, at most`, 1000 * upTo(0.5), 'ms');
  tell(`${phase}: p99 of reconciles, at most`, 1000 * upTo(0.99), 'ms');
}

async function createAll(world: OperatorWorld, operator: OperatorProcess): Promise<void> {
  const before = await operator.metrics();
  const cpuBefore = operator.cpuSeconds;
  const startMs = performance.now();
  await world.create(Array.from({ length: count }, (_, index) => clusterAt(index)));
  tell('KVClusters applied in', (performance.now() - startMs) / 1000, 's');
  await world.settled(count);
  tell('all ready, nothing on its way', (performance.now() - startMs) / 1000, 's');
  const calls = world.calls();
  tellChildren(calls);
  tell('creation: calls of the operator to the API server', calls.filter(isOperators).length, '');
  tell('creation: writes of the operator', calls.filter(isOperators).filter(isWrite).length, '');
  tell('creation: processor time', operator.cpuSeconds - cpuBefore, 's');
  tellReconciles('creation', before, await operator.metrics());
}

async function idle(world: OperatorWorld, operator: OperatorProcess): Promise<readonly AuditedCall[]> {
  const [before, cpuBefore, storeBefore, fromMs] = [
    await operator.metrics(),
    operator.cpuSeconds,
    world.storeRequests,
    Date.now(),
  ];
  await sleep(idleSeconds * 1000);
  const untilMs = Date.now();
  const perMinute = 60 / idleSeconds;
  tell('idle: processor time', ((operator.cpuSeconds - cpuBefore) * 100) / idleSeconds, '% of a core');
  tell('idle: questions to stores a minute', (world.storeRequests - storeBefore) * perMinute, '');
  tellReconciles('idle', before, await operator.metrics());
  const calls = world
    .calls()
    .filter((call) => isOperators(call) && call.atMs >= fromMs && call.atMs < untilMs);
  for (const [name, times] of tally(calls)) tell(`idle: ${name}, a minute`, times * perMinute, '');
  const writes = calls.filter((call) => isWrite(call) && call.resource !== 'leases');
  tell('idle: writes other than of the Lease', writes.length, '');
  return writes;
}

async function main(): Promise<void> {
  using directory = new TestDirectory();
  await using world = await OperatorWorld.start(directory.path, [FEW, MANY]);
  let writes: readonly AuditedCall[] = [];
  {
    await using operator = await world.startOperator();
    await sleep(QUIET_MS);
    tell('memory with 0 KVClusters', operator.residentMiB, 'MiB');
    await createAll(world, operator);
    await sleep(QUIET_MS);
    writes = await idle(world, operator);
    tell(`memory with ${count} KVClusters, after it made them`, operator.residentMiB, 'MiB');
  }
  for (const [names, clusters] of [
    [[FEW], few],
    [undefined, count],
  ] as const) {
    await using operator = await world.startOperator(names);
    await sleep(QUIET_MS);
    tell(`memory with ${clusters} KVClusters, started anew`, operator.residentMiB, 'MiB');
  }
  report('operator', figures, {});
  if (writes.length === 0) return;
  process.stderr.write(`an idle operator writes: ${[...tally(writes)].join('; ')}\n`);
  process.exitCode = 1;
}

await main();
