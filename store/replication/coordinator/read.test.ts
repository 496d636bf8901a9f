import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failure, LOST, PROMPT, type Sent, TestCluster, viewOf } from './test-cluster.ts';

const reads = (cluster: TestCluster) =>
  cluster.sent.flatMap(({ request: { to, body } }) =>
    body.type === 'read' ? [`${body.isFull ? 'value' : 'version'} ${to}`] : [],
  );
const storesBy = (cluster: TestCluster, origin: string) =>
  cluster.sent.flatMap(({ request: { to, body } }) =>
    body.type === 'store' && body.origin === origin ? [to] : [],
  );

/** A cluster in which the members of `holders` alone hold k = value, as a write that missed the others leaves it. */
async function partlyWritten(holders: readonly number[], value = 'a'): Promise<TestCluster> {
  const cluster = new TestCluster();
  await write(cluster, holders, value);
  return cluster;
}

async function write(cluster: TestCluster, holders: readonly number[], value: string): Promise<void> {
  cluster.fate = ({ request: { to, body } }) =>
    body.type === 'store' && !holders.includes(to) ? LOST : PROMPT;
  const from = cluster.node(holders[0] as number);
  await cluster.settle(from.put('k', value)).catch(() => {});
  await cluster.pass(3000);
  cluster.fate = () => PROMPT;
  cluster.sent.length = 0;
  for (const [, node] of cluster.nodes) node.counted.length = 0;
}

test('a read takes the value from one and versions from R-1 others', async () => {
  const cluster = await partlyWritten([1, 2, 3]);
  assert.equal(await cluster.settle(cluster.node(2).get('k')), 'a');
  assert.deepEqual(reads(cluster), ['value 2', 'version 1']);
  assert.deepEqual(cluster.node(2).counted, ['read answered']);
});

test('a missing key is absent', async () => {
  const cluster = new TestCluster();
  assert.equal(await cluster.settle(cluster.node(2).get('k')), undefined);
});

test('D7: what one replica alone holds is on W of them before it is answered', async () => {
  const cluster = await partlyWritten([2]);
  assert.equal(await cluster.settle(cluster.node(1).get('k')), 'a');
  assert.equal(cluster.node(1).replica.valueOf('k'), 'a');
  assert.deepEqual(storesBy(cluster, 'write-back'), [1]);
  cluster.node(2).isDown = true;
  assert.equal(await cluster.settle(cluster.node(3).get('k')), 'a', 'a later read does not go back');
});

test('D7: where it cannot be written back, nothing is answered', async () => {
  const cluster = await partlyWritten([2]);
  for (const member of [1, 3]) cluster.node(member).replica.storeRefusal = 'STORAGE_FULL';
  assert.equal((await failure(cluster.settle(cluster.node(1).get('k')))).code, 'STORAGE_FULL');
});

test('who lacks what was answered is repaired after it', async () => {
  const cluster = await partlyWritten([1, 2]);
  // All are heard before the answer.
  assert.equal(await cluster.settle(cluster.node(1).get('k', { r: 'all' })), 'a');
  await cluster.pass(10);
  assert.deepEqual(storesBy(cluster, 'repair'), [3]);
  assert.equal(cluster.node(3).replica.valueOf('k'), 'a');
  assert.deepEqual(cluster.node(1).counted, ['read answered', 'repair 1']);
});

test('a write-back carries the watermark that its source had', async () => {
  const cluster = await partlyWritten([2]);
  const watermark = { wallMs: 7, counter: 0, member: 1 };
  cluster.node(2).replica.watermark = watermark;
  await cluster.settle(cluster.node(1).get('k'));
  const [body] = cluster.sentTo(1, 'store').map((request) => request.body);
  assert.ok(body?.type === 'store');
  assert.deepEqual(body.sourceWatermark, watermark);
});

test('a write-back that a watermark refuses starts the read again: what was deleted is not answered', async () => {
  const cluster = await partlyWritten([2], 'deleted by all but 2');
  const past = { ...cluster.node(2).versions.last(), wallMs: cluster.clock.nowMs() };
  let isFirst = true;
  cluster.fate = ({ request: { body } }) => {
    // A round passes between the sights and the write-back.
    if (body.type === 'read' && isFirst) {
      isFirst = false;
      cluster.clock.setTimer(1.5, () => {
        for (const member of [1, 3]) cluster.node(member).replica.watermark = past;
      });
    }
    return PROMPT;
  };
  assert.equal(await cluster.settle(cluster.node(1).get('k')), undefined);
  assert.ok(cluster.node(1).counted.includes('restart'));
});

test('a slow replica is hedged after its time, and its late answer costs nothing', async () => {
  const cluster = await partlyWritten([1, 2, 3]);
  cluster.fate = ({ request }) => (request.to === 2 ? { requestMs: 300, answerMs: 1 } : PROMPT);
  const beganMs = cluster.clock.monotonicMs();
  assert.equal(await cluster.settle(cluster.node(1).get('k')), 'a');
  assert.equal(cluster.clock.monotonicMs() - beganMs, 10 + 2);
  assert.deepEqual(reads(cluster), ['value 1', 'version 2', 'version 3']);
  assert.deepEqual(cluster.node(1).counted, ['hedge 2', 'read answered']);
  await cluster.pass(2000);
  assert.deepEqual(cluster.node(1).counted, ['hedge 2', 'read answered']);
});

test('a write-back to a slow replica is hedged: another one that holds it is enough', async () => {
  const cluster = await partlyWritten([1, 3]);
  const isStore = ({ request: { body } }: Sent): boolean => body.type === 'store';
  cluster.fate = (sent) =>
    sent.request.to === 2 && isStore(sent) ? { requestMs: 300, answerMs: 1 } : PROMPT;
  const beganMs = cluster.clock.monotonicMs();
  assert.equal(await cluster.settle(cluster.node(1).get('k')), 'a');
  assert.equal(cluster.clock.monotonicMs() - beganMs, 2 + 10 + 2);
  assert.deepEqual(storesBy(cluster, 'write-back'), [2, 3]);
  assert.deepEqual(cluster.node(1).counted, [
    'write-back 1',
    'hedge 2',
    'write-back 1',
    'read answered',
    'repair 1',
  ]);
  await cluster.pass(2000);
  assert.equal(cluster.node(2).replica.valueOf('k'), 'a');
});

test('the write-back of a newer version that turned up meanwhile is hedged too, also to those that are known to lack it', async () => {
  const cluster = new TestCluster([1, 2, 3, 4]);
  cluster.apply(viewOf(2, [1, 2, 3]));
  await write(cluster, [3], 'a');
  await write(cluster, [2], 'b');
  // 1 lacks both and stores slowly; 2 tells its version after 3 was asked instead, and after 'a' was sent to 1.
  cluster.fate = ({ request: { to, body } }) => {
    if (to === 1 && body.type === 'store') return { requestMs: 300, answerMs: 1 };
    return to === 2 && body.type === 'read' && !body.isFull ? { requestMs: 17, answerMs: 1 } : PROMPT;
  };
  const beganMs = cluster.clock.monotonicMs();
  assert.equal(await cluster.settle(cluster.node(4).get('k')), 'b');
  assert.equal(cluster.clock.monotonicMs() - beganMs, 18 + 2 + 10 + 2);
  assert.deepEqual(storesBy(cluster, 'write-back'), [1, 1, 3]);
});

test('where the value itself is slow, the substitute is asked for the value', async () => {
  const cluster = new TestCluster([1, 2, 3, 4]);
  cluster.apply(viewOf(2, [1, 2, 3]));
  await write(cluster, [1, 2, 3], 'a');
  cluster.fate = ({ request }) => (request.to === 1 ? LOST : PROMPT);
  assert.equal(await cluster.settle(cluster.node(4).get('k')), 'a');
  assert.deepEqual(reads(cluster), ['value 1', 'version 2', 'value 3']);
});

test('a slow replica that is known to be slow is given its usual time, but not much more than another takes', async () => {
  const cluster = await partlyWritten([1, 2, 3]);
  cluster.fate = ({ request }) => (request.to === 2 ? { requestMs: 25, answerMs: 1 } : PROMPT);
  for (let i = 0; i < 40; i++) {
    await cluster.settle(cluster.node(1).get('k'));
    await cluster.pass(50);
  }
  const hedges = cluster.node(1).counted.filter((what) => what === 'hedge 2').length;
  assert.ok(hedges > 30, `${hedges} hedges: the third takes 2 ms`);
  const beganMs = cluster.clock.monotonicMs();
  await cluster.settle(cluster.node(1).get('k'));
  assert.ok(cluster.clock.monotonicMs() - beganMs <= 12);
});

test('a read at 1 is served by this member alone', async () => {
  const cluster = await partlyWritten([1, 2, 3]);
  const beganMs = cluster.clock.monotonicMs();
  assert.equal(await cluster.settle(cluster.node(3).get('k', { r: 1 })), 'a');
  assert.equal(cluster.clock.monotonicMs(), beganMs);
  assert.deepEqual(reads(cluster), ['value 3']);
});

test('a member that gossip calls down is read last', async () => {
  const cluster = await partlyWritten([1, 2, 3]);
  cluster.node(1).down.add(2);
  cluster.node(2).isDown = true;
  const beganMs = cluster.clock.monotonicMs();
  assert.equal(await cluster.settle(cluster.node(1).get('k')), 'a');
  assert.equal(cluster.clock.monotonicMs() - beganMs, 2);
});

test('too few replicas: the read says who is silent, and that nothing was changed', async () => {
  const cluster = await partlyWritten([1, 2, 3]);
  cluster.fate = () => LOST;
  const error = await failure(cluster.settle(cluster.node(1).get('k', { timeoutMs: 100 })));
  assert.equal(error.code, 'DEADLINE_EXCEEDED');
  assert.deepEqual(error.data.answers, [
    { member: 1, node: 'node-1', said: 'answered' },
    { member: 2, node: 'node-2', said: 'silent' },
    { member: 3, node: 'node-3', said: 'silent' },
  ]);
  cluster.node(1).down.add(2).add(3);
  assert.equal(
    (await failure(cluster.settle(cluster.node(1).get('k', { timeoutMs: 100 })))).code,
    'QUORUM_NOT_MET',
  );
});

test('a damaged record is read from the others and repaired, also by heal', async () => {
  for (const way of ['get', 'heal'] as const) {
    const cluster = await partlyWritten([1, 2, 3]);
    cluster.node(1).replica.damage('k');
    if (way === 'get') assert.equal(await cluster.settle(cluster.node(1).get('k')), 'a');
    else assert.equal(await cluster.settle(cluster.node(1).store.heal(1, Buffer.from('k'))), true);
    await cluster.pass(10);
    assert.deepEqual(storesBy(cluster, 'repair'), [1]);
    assert.equal(cluster.node(1).replica.isDamaged('k'), false);
  }
});

test('heal says where there is nothing to heal from', async () => {
  const cluster = await partlyWritten([1, 2, 3]);
  cluster.fate = () => LOST;
  cluster.node(1).replica.damage('k');
  assert.equal(await cluster.settle(cluster.node(1).store.heal(1, Buffer.from('k'))), false);
});

test('a record that fails its checksum here is a failure of who sent it', async () => {
  const cluster = await partlyWritten([1, 2, 3]);
  const stored = cluster.node(1).replica.storedOf('k') as Uint8Array;
  const held = [...cluster.node(1).replica.held.values()][0];
  assert.ok(held !== undefined);
  const broken = Uint8Array.from(stored);
  broken[broken.length - 1]! ^= 1;
  for (const [name] of cluster.node(1).replica.held)
    cluster.node(1).replica.held.set(name, { ...held, stored: broken });
  assert.equal(await cluster.settle(cluster.node(1).get('k')), 'a');
});

test('after an answer nothing of a read is left', async () => {
  const cluster = await partlyWritten([1, 2, 3]);
  const open: Sent[] = [];
  cluster.fate = (sent) => {
    if (sent.request.to === 3) open.push(sent);
    return sent.request.to === 3 ? LOST : PROMPT;
  };
  await cluster.settle(cluster.node(1).get('k'));
  assert.equal(cluster.node(1).coordinator.inFlight, 0);
  assert.equal(cluster.node(1).coordinator.deadlines.size, 0);
});

test('a newer version that a late answer shows is written back too, also to whom the older one was sent', async () => {
  const cluster = new TestCluster([1, 2, 3, 4]);
  cluster.apply(viewOf(2, [1, 2, 3]));
  for (const holder of [1, 2, 3]) await write(cluster, [holder], `of ${holder}`);
  cluster.fate = ({ request: { to, body } }) => {
    if (body.type === 'store') return { requestMs: 1, answerMs: to === 1 ? 20 : 1 };
    const isSlow = body.type === 'read' && !body.isFull;
    return { requestMs: 1, answerMs: isSlow ? (to === 2 ? 30 : 23) : 1 };
  };
  assert.equal(await cluster.settle(cluster.node(4).get('k')), 'of 3');
  assert.deepEqual(
    storesBy(cluster, 'write-back'),
    [1, 1, 2],
    'what 2 holds; what 3 holds; and the hedge of that',
  );
});
