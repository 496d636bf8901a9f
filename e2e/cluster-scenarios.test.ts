import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MemberView } from '../store/cluster/cluster-admin.ts';
import { Cluster } from './lib/cluster.ts';
import type { ClusterNode } from './lib/cluster-node.ts';
import { TestDirectory } from './lib/test-directory.ts';
import { type TopologyDocument, TopologyHistory } from './lib/topology-history.ts';

/** Scenarios of the forerunners' test suites, by their numbers in docs/features.md. */
const SETTINGS = { 'cluster.partitions': 8 };
const ROUNDS = 3;
/** The longest that a suspicion lasts in three nodes, with the probes before it; without load it is about 6 s. */
const SUSPICION_MS_MAX = 40_000;

async function topologyOf(node: ClusterNode): Promise<TopologyDocument> {
  const answer = await node.request<TopologyDocument>('/v1/topology?consistency=local');
  assert.equal(answer.type, 'ok', JSON.stringify(answer));
  return answer.body;
}

async function livenessOf(asked: ClusterNode, name: string): Promise<string | undefined> {
  const answer = await asked.request<{ members: MemberView[] }>('/v1/members?consistency=local');
  return answer.type === 'ok' ? answer.body.members.find((each) => each.name === name)?.liveness : undefined;
}

test('scenario 10: a start without a reachable seed waits and says so, and joins once the seed is there', async () => {
  using directory = new TestDirectory();
  await using cluster = await Cluster.create({ directory: directory.path, size: 2, settings: SETTINGS });
  const [seed, node] = cluster.nodes as [ClusterNode, ClusterNode];
  cluster.start(2);
  await cluster.until('the node does not say that no seed answers', async () => {
    const reason = (await node.status())?.node.reason ?? '';
    return reason.includes('seed') && reason.includes(seed.peerAddress);
  });
  const status = await cluster.status(2);
  assert.deepEqual([status.node.state, status.node.member], ['waiting', undefined]);
  assert.equal((await fetch(`${node.url}/livez`)).status, 200);
  const ready = await fetch(`${node.url}/readyz`);
  assert.equal(ready.status, 503);
  assert.match(await ready.text(), /seed/);
  const put = await node.request('/v1/kv/default/k', { method: 'PUT', body: 'v' });
  assert.ok(put.type === 'refused' && put.status === 503, JSON.stringify(put));
  cluster.start(1);
  await cluster.settled();
  assert.equal((await cluster.status(2)).clusterId, (await cluster.status(1)).clusterId);
});

test('scenario 16: a restart keeps identity, voting, ownership and ports', async () => {
  using directory = new TestDirectory();
  await using cluster = await Cluster.start({ directory: directory.path, size: 3, settings: SETTINGS });
  await cluster.until('not all became voters', async () => {
    const statuses = await Promise.all(cluster.nodes.map((node) => node.status()));
    return statuses.every((status) => status?.node.isVoter);
  });
  const facts = async (node: ClusterNode) => {
    const { clusterId, node: own } = await cluster.status(node.index);
    const { settings, partitions, members } = await topologyOf(node);
    const addresses = members.find(({ number }) => number === own.member);
    return {
      clusterId,
      member: own.member,
      isVoter: own.isVoter,
      settings,
      partitions,
      peerAddress: addresses?.peerAddress,
      httpAddress: addresses?.httpAddress,
    };
  };
  for (const end of ['SIGTERM', 'SIGKILL'])
    for (const node of cluster.nodes) {
      const before = await facts(node);
      const { incarnation } = (await cluster.status(node.index)).node;
      await (end === 'SIGTERM' ? cluster.stop(node.index) : cluster.kill(node.index));
      await cluster.restart(node.index, { withNewPorts: false });
      await cluster.settled();
      assert.deepEqual(await facts(node), before);
      assert.equal((await cluster.status(node.index)).node.incarnation, (incarnation ?? 0) + 1);
    }
});

test('scenario 20: one node elects itself, others adopt the leader; of three the survivors agree, of two none leads', async () => {
  using directory = new TestDirectory();
  await using cluster = await Cluster.create({ directory: directory.path, size: 1, settings: SETTINGS });
  cluster.start(1);
  assert.equal((await cluster.leader()).index, 1);
  for (const index of [2, 3]) {
    await cluster.addNode();
    cluster.start(index);
    await cluster.settled();
    await cluster.until(`${index} nodes do not vote`, async () => {
      return (await cluster.status(1)).quorum.voters.length === index;
    });
    assert.equal((await cluster.leader()).index, 1);
    for (const node of cluster.nodes)
      assert.equal((await cluster.status(node.index)).leader?.name, 'kvorum-1');
    if (index === 2) await killTheLeaderOfTwo(cluster);
    await cluster.node(1).request('/v1/cluster:transfer-leadership', {
      method: 'POST',
      body: { to: 'kvorum-1' },
    });
  }
  for (let round = 0; round < ROUNDS; round++) {
    const old = await cluster.leader();
    await cluster.kill(old.index);
    const next = await cluster.leader(cluster.awake());
    assert.notEqual(next.index, old.index);
    await cluster.restart(old.index, { withNewPorts: false });
    await cluster.settled();
  }
});

/** Half of the voters is no majority: the survivor must not lead, says so, and both agree again afterwards. */
async function killTheLeaderOfTwo(cluster: Cluster): Promise<void> {
  const old = await cluster.leader();
  const survivor = cluster.node(3 - old.index);
  await cluster.kill(old.index);
  await cluster.until('the survivor does not say that its quorum is lost', async () => {
    const status = await survivor.status();
    return status?.quorum.state === 'lost' && status.leader === undefined;
  });
  const change = await cluster.change(survivor.index, survivor.name, 7);
  assert.ok(change.type === 'refused' && change.code === 'NO_LEADER', JSON.stringify(change));
  await cluster.restart(old.index, { withNewPorts: false });
  await cluster.settled();
}

test('scenario 21: ordered changes are applied in the same order on four nodes; a late node catches up in order', async () => {
  using directory = new TestDirectory();
  await using cluster = await Cluster.start({ directory: directory.path, size: 4, settings: SETTINGS });
  const leader = await cluster.leader();
  const late = cluster.nodes.find((node) => node !== leader) as ClusterNode;
  const history = new TopologyHistory();
  const stop = new AbortController();
  const following = Promise.all(cluster.nodes.map((node) => history.follow(node, stop.signal)));
  await cluster.kill(late.index);
  const epochs: number[] = [];
  for (const weight of [11, 22, 33]) {
    const answer = await cluster.change(leader.index, 'kvorum-1', weight);
    assert.equal(answer.type, 'ok', JSON.stringify(answer));
    epochs.push(answer.body.epoch);
  }
  const first = epochs[0] as number;
  assert.deepEqual(epochs, [first, first + 1, first + 2]);
  await cluster.restart(late.index, { withNewPorts: false });
  await cluster.settled();
  stop.abort();
  await following;
  for (const node of cluster.nodes) {
    const state = await topologyOf(node);
    history.record(state, node.name);
    assert.equal(state.members.find(({ name }) => name === 'kvorum-1')?.weight, 33);
  }
});

test('scenario 22: a silent node is suspected and shown within seconds, and refutes when it is alive', async () => {
  using directory = new TestDirectory();
  await using cluster = await Cluster.start({ directory: directory.path, size: 3, settings: SETTINGS });
  const leader = await cluster.leader();
  const silent = cluster.nodes.find((node) => node !== leader) as ClusterNode;
  const watchers = cluster.nodes.filter((node) => node !== silent);
  const { number } = (await topologyOf(leader)).members.find(({ name }) => name === silent.name) ?? {};
  const seen = async (liveness: readonly string[]): Promise<boolean> => {
    const all = await Promise.all(watchers.map((node) => livenessOf(node, silent.name)));
    return all.every((each) => each !== undefined && liveness.includes(each));
  };
  for (const until of [['suspect', 'dead'], ['dead']]) {
    silent.pause();
    await cluster.until(
      `${silent.name} is not seen as ${until.join(' or ')}`,
      () => seen(until),
      SUSPICION_MS_MAX,
    );
    silent.wake();
    await cluster.until(`${silent.name} did not refute`, () => seen(['alive']), 10_000);
  }
  await cluster.settled();
  assert.equal((await cluster.status(silent.index)).node.member, number, 'it is the same member');
});
