import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failure, PROMPT, TestCluster } from './test-cluster.ts';

const HOURS_8 = 8 * 3_600_000;
const stamps = (cluster: TestCluster) =>
  [...cluster.nodes.values()].flatMap(({ versions }) => versions.given);
const stores = (cluster: TestCluster) => cluster.sent.filter(({ request }) => request.body.type === 'store');

test('D3: a node in the future stamps and stores nothing, and says what its clock is', async () => {
  const cluster = new TestCluster();
  cluster.node(1).clockOffsetMs = HOURS_8;
  const error = await failure(cluster.settle(cluster.node(1).put('k', 'a')));
  assert.equal(error.code, 'CLOCK_SKEW');
  assert.equal(error.data.outcome, 'unwritten');
  assert.equal(error.data.ownClockMs, cluster.clock.nowMs() + HOURS_8);
  assert.match(error.message, /node-2 .*NTP/);
  assert.deepEqual(stamps(cluster), []);
  assert.deepEqual(stores(cluster), []);
});

test('D3: a member that was in the future is not believed, and the others go on without it', async () => {
  const cluster = new TestCluster();
  cluster.node(2).versions.observe({ wallMs: cluster.clock.nowMs() + HOURS_8, counter: 0, member: 2 });
  const { version } = await cluster.settle(cluster.node(1).put('k', 'a'));
  assert.ok(version.wallMs < cluster.clock.nowMs() + 500);
  assert.ok(cluster.node(1).versions.last().wallMs <= cluster.clock.nowMs());
  assert.equal(await cluster.settle(cluster.node(3).get('k')), 'a');
});

test('D3: where two of three are in the future, nothing is stamped and nothing is learned from them', async () => {
  const cluster = new TestCluster();
  for (const member of [2, 3])
    cluster.node(member).versions.observe({ wallMs: cluster.clock.nowMs() + HOURS_8, counter: 0, member });
  const error = await failure(cluster.settle(cluster.node(1).put('k', 'a')));
  assert.equal(error.code, 'CLOCK_SKEW');
  assert.equal(error.data.outcome, 'unwritten');
  assert.equal(cluster.node(1).versions.last().wallMs, 0);
  assert.deepEqual(stores(cluster), []);
});

test('a node whose clock was ahead, and is right again, says what it waits for', async () => {
  const cluster = new TestCluster();
  const aheadMs = cluster.clock.nowMs() + HOURS_8;
  cluster.node(1).versions.observe({ wallMs: aheadMs, counter: 0, member: 1 });
  const error = await failure(cluster.settle(cluster.node(1).put('k', 'a')));
  assert.equal(error.code, 'CLOCK_SKEW');
  const bound = `no version below ${new Date(aheadMs).toISOString()}`;
  assert.ok(error.message.includes(bound), error.message);
});

test('the limit itself is allowed, one more is not', async () => {
  for (const [aheadMs, isAllowed] of [
    [500, true],
    [520, false],
  ] as const) {
    const cluster = new TestCluster();
    cluster.node(1).clockOffsetMs = aheadMs;
    const write = cluster.settle(cluster.node(1).put('k', 'a'));
    if (isAllowed) await write;
    else assert.equal((await failure(write)).code, 'CLOCK_SKEW');
  }
});

test('an answer that took long does not make the clocks differ', async () => {
  const cluster = new TestCluster();
  cluster.node(1).down.add(3);
  cluster.fate = ({ request }) => (request.body.type === 'ask' ? { requestMs: 1, answerMs: 800 } : PROMPT);
  await cluster.settle(cluster.node(1).put('k', 'a'));
});

test('refusals of the stamp by a majority are told as what they are, with the outcome', async () => {
  for (const [refusing, outcome] of [
    [[1, 2, 3], 'unwritten'],
    [[2, 3], 'unknown'],
  ] as const) {
    const cluster = new TestCluster();
    for (const member of refusing) cluster.node(member).replica.storeRefusal = 'CLOCK_SKEW';
    const error = await failure(cluster.settle(cluster.node(1).put('k', 'a')));
    assert.equal(error.code, 'CLOCK_SKEW');
    assert.equal(error.data.outcome, outcome);
  }
});

test('a set of this member alone never fails for skew', async () => {
  const cluster = new TestCluster([1]);
  const { versions } = cluster.node(1);
  versions.observe({ wallMs: cluster.clock.nowMs() + 400, counter: 0, member: 1 });
  cluster.node(1).clockOffsetMs = 0;
  await cluster.settle(cluster.node(1).put('k', 'a'));
  // Its clock is set back: its own stamps lie ahead now.
  cluster.node(1).replica.skewMsMax = Number.POSITIVE_INFINITY;
  cluster.node(1).clockOffsetMs = -HOURS_8;
  await cluster.settle(cluster.node(1).put('k', 'b'));
  assert.equal(await cluster.settle(cluster.node(1).get('k')), 'b');
});
