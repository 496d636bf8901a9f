import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPrng, type Prng } from '../../core/prng/prng.ts';
import { isLinearizable, type Operation } from '../../core/quorum/linearizable.ts';
import { compareVersions, formatVersion } from '../../core/version/version.ts';
import { ANSWER_LOST, LOST, TestCluster, type TestNode, viewOf } from './test-cluster.ts';

/**
 * One key under random schedules: slow, lost and reordered messages, nodes that go down and come back, clocks apart, a new
 * epoch on the way. Every history is checked by brute force. SEED=n replays one, SEEDS=n runs as many.
 */

const SEEDS = Number(process.env.SEEDS ?? 1000);
const OPERATIONS = 8;
const SPAN_MS = 120;

type Seen = { -readonly [Key in keyof Operation]: Operation[Key] };

async function runSeed(
  seed: number,
): Promise<{ readonly history: readonly Seen[]; readonly cluster: TestCluster }> {
  const prng = createPrng(seed);
  const cluster = new TestCluster([1, 2, 3], { requestTimeoutMs: 100 });
  for (const [, node] of cluster.nodes) node.clockOffsetMs = prng.below(400) - 200;
  // Stores are lost more often: what only a few hold is what reads may trip over.
  const loss = { ask: prng.below(20), read: prng.below(20), store: prng.below(60) };
  cluster.fate = ({ request }) => {
    if (prng.below(100) < loss[request.body.type]) return prng.below(2) === 0 ? LOST : ANSWER_LOST;
    return { requestMs: delayMs(prng), answerMs: delayMs(prng) };
  };
  for (const [, node] of cluster.nodes) scheduleFaults(cluster, node, prng);
  const history: Seen[] = [];
  const order = { next: 0 };
  const running = Array.from({ length: OPERATIONS }, (_, index) => {
    const node = cluster.node(1 + prng.below(3));
    const kind = prng.below(10);
    return after(cluster, prng.below(SPAN_MS), () => runOperation(node, kind, `v${index}`, history, order));
  });
  await cluster.settle(Promise.all(running));
  await cluster.pass(500);
  return { history, cluster };
}

/** Mostly quick; now and then long enough for everything else to happen meanwhile. */
const delayMs = (prng: Prng): number => (prng.below(5) === 0 ? prng.below(60) : 1 + prng.below(4));

function scheduleFaults(cluster: TestCluster, node: TestNode, prng: Prng): void {
  if (prng.below(3) === 0) {
    const fromMs = prng.below(SPAN_MS);
    cluster.clock.setTimer(fromMs, () => {
      node.isDown = true;
    });
    cluster.clock.setTimer(fromMs + prng.below(80), () => {
      node.isDown = false;
    });
  }
  if (prng.below(2) === 0)
    cluster.clock.setTimer(20 + prng.below(60), () => node.apply(viewOf(2, [1, 2, 3])));
}

function after(cluster: TestCluster, ms: number, work: () => Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    cluster.clock.setTimer(ms, () => void work().then(resolve, reject));
  });
}

async function runOperation(
  node: TestNode,
  kind: number,
  value: string,
  history: Seen[],
  order: { next: number },
): Promise<void> {
  const type = kind < 5 ? 'read' : 'write';
  const operation: Seen = { type, value: kind < 9 ? value : '', beganAt: order.next++, endedAt: undefined };
  if (type === 'write') history.push(operation);
  try {
    if (type === 'read') operation.value = (await node.get('k')) ?? '';
    else if (operation.value === '') await node.delete('k');
    else await node.put('k', value);
  } catch (error) {
    const isUnwritten = (error as { data?: { outcome?: unknown } }).data?.outcome === 'unwritten';
    if (isUnwritten) history.splice(history.indexOf(operation), 1);
    return;
  }
  operation.endedAt = order.next++;
  if (type === 'read') history.push(operation);
}

/** No version is given twice, and each holds one record. */
function assertStampedOnce(cluster: TestCluster): void {
  const given = [...cluster.nodes.values()].flatMap(({ versions }) => versions.given.map(formatVersion));
  assert.equal(new Set(given).size, given.length);
  const writes = cluster.sent.filter(({ request }) => request.body.type === 'ask');
  assert.ok(given.length <= writes.length);
}

/** What was acknowledged is read by anybody once the faults are over, or something newer is. */
async function assertConverges(cluster: TestCluster, told: () => string): Promise<void> {
  cluster.apply(viewOf(3, [1, 2, 3]));
  cluster.fate = () => ({ requestMs: 1, answerMs: 1 });
  for (const [, node] of cluster.nodes) node.isDown = false;
  const seen: (string | undefined)[] = [];
  for (const [, node] of cluster.nodes) seen.push(await cluster.settle(node.get('k', { r: 'all' })));
  assert.ok(
    seen.every((value) => value === seen[0]),
    told(),
  );
  await cluster.pass(50);
  const held = [...cluster.nodes.values()].map(
    ({ replica }) => [...replica.held.values()][0]?.record.version,
  );
  const [first] = held;
  for (const version of held)
    assert.ok(
      first === undefined ? version === undefined : version && compareVersions(first, version) === 0,
      told(),
    );
}

test('histories of one key are linearizable, whatever the network, the nodes and the clocks do', async () => {
  const seeds =
    process.env.SEED === undefined ? Array.from({ length: SEEDS }, (_, i) => i) : [Number(process.env.SEED)];
  let ended = 0;
  let unknown = 0;
  for (const seed of seeds) {
    const { history, cluster } = await runSeed(seed);
    const told = (): string => `seed ${seed} (SEED=${seed} replays it): ${JSON.stringify(history)}`;
    assert.ok(isLinearizable(history), told());
    assertStampedOnce(cluster);
    for (const [, { coordinator }] of cluster.nodes) {
      assert.equal(coordinator.inFlight, 0, told());
      assert.equal(coordinator.deadlines.size, 0, told());
    }
    await assertConverges(cluster, told);
    ended += history.filter(({ endedAt }) => endedAt !== undefined).length;
    unknown += history.filter(({ endedAt }) => endedAt === undefined).length;
  }
  if (seeds.length > 100) {
    assert.ok(
      ended > seeds.length * OPERATIONS * 0.5,
      `only ${ended} operations ended: the faults leave nothing to check`,
    );
    assert.ok(unknown > seeds.length * 0.1, `only ${unknown} outcomes are unknown: the faults are too mild`);
  }
});
