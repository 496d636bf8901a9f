import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MemberView } from '../store/cluster/cluster-admin.ts';
import { Cluster } from './lib/cluster.ts';
import type { ClusterNode } from './lib/cluster-node.ts';
import { TestDirectory } from './lib/test-directory.ts';

/** Members that leave for good, and a majority that is lost, on real nodes. */
// No partition is placed: members that own data cannot leave or be replaced before it can move.
const SETTINGS = { 'cluster.partitions': 8, 'cluster.initialMembers': 1000 };

/** Two that are left confirm little to each other and wait their longest (docs/gossip.md): 22 s where nothing else runs, more where they are short of processor. */
const SUSPICION_MS_MAX = 90_000;

async function membersOf(node: ClusterNode): Promise<readonly MemberView[]> {
  const answer = await node.request<{ members: MemberView[] }>('/v1/members');
  assert.equal(answer.type, 'ok', JSON.stringify(answer));
  return answer.body.members;
}

async function remove(asked: ClusterNode, name: string): Promise<void> {
  const answer = await asked.request(`/v1/members/${name}:remove`, { method: 'POST' });
  assert.equal(answer.type, 'ok', JSON.stringify(answer));
}

async function waitExcluded(cluster: Cluster, node: ClusterNode): Promise<void> {
  await cluster.until(`${node.name} is not excluded`, async () => {
    const own = (await node.status())?.node;
    return own?.state === 'excluded' && /removed/.test(own.reason ?? '');
  });
}

test('a removed member is excluded, says so, and stays so over a restart; its number is not used again', async () => {
  using directory = new TestDirectory();
  await using cluster = await Cluster.start({ directory: directory.path, size: 4, settings: SETTINGS });
  const leader = await cluster.leader();
  const [first, removed] = cluster.nodes.filter((node) => node !== leader) as [ClusterNode, ClusterNode];
  const numbers = (await membersOf(leader)).map(({ number }) => number);
  await remove(first, removed.name);
  await waitExcluded(cluster, removed);
  assert.equal((await fetch(`${removed.url}/readyz`)).status, 503);
  const refused = await cluster.change(removed.index, leader.name, 5);
  assert.ok(refused.type === 'refused' && refused.code === 'MEMBER_EXCLUDED', JSON.stringify(refused));
  await cluster.stop(removed.index);
  await cluster.restart(removed.index, { withNewPorts: false });
  await waitExcluded(cluster, removed);
  assert.equal((await membersOf(first)).length, 3);

  const newcomer = await cluster.addNode();
  cluster.start(newcomer.index);
  await cluster.until('the newcomer did not join', async () => {
    return (await newcomer.status())?.node.state === 'member';
  });
  const member = (await cluster.status(newcomer.index)).node.member as number;
  assert.ok(member > Math.max(...numbers), `${member} after ${numbers.join(', ')}`);
});

test('the leader can be removed: another one leads, and the quorum is of those that are left', async () => {
  using directory = new TestDirectory();
  await using cluster = await Cluster.start({ directory: directory.path, size: 4, settings: SETTINGS });
  const old = await cluster.leader();
  const others = cluster.nodes.filter((node) => node !== old);
  await remove(others[0] as ClusterNode, old.name);
  await waitExcluded(cluster, old);
  await cluster.until('the others do not go on', async () => {
    const statuses = await Promise.all(others.map((node) => node.status()));
    return statuses.every(
      (status) =>
        status?.quorum.state === 'ok' &&
        status.members.total === 3 &&
        status.quorum.voters.length === 3 &&
        status.leader !== undefined &&
        status.leader.name !== old.name,
    );
  });
  const change = await cluster.change((others[0] as ClusterNode).index, (others[1] as ClusterNode).name, 5);
  assert.equal(change.type, 'ok', JSON.stringify(change));
});

test('a lost majority is said plainly by every node that is left, and is over once one of the lost is back', async () => {
  using directory = new TestDirectory();
  await using cluster = await Cluster.start({ directory: directory.path, size: 5, settings: SETTINGS });
  await Promise.all([1, 2, 3].map((index) => cluster.kill(index)));
  for (const node of cluster.awake()) {
    const namesThem = async () => {
      const status = await node.status();
      return status?.quorum.state === 'lost' && status.quorum.missing.length === 3;
    };
    await cluster.until(`${node.name} does not name those that are missing`, namesThem, SUSPICION_MS_MAX);
    const ready = await fetch(`${node.url}/readyz`);
    assert.equal(ready.status, 503);
    assert.match(await ready.text(), /majority of the voters is lost.*kvorum-1/);
    const change = await cluster.change(node.index, node.name, 5);
    assert.ok(change.type === 'refused' && change.code === 'NO_LEADER', JSON.stringify(change));
  }
  await cluster.restart(2, { withNewPorts: true });
  await cluster.until('the majority does not go on', async () => {
    const change = await cluster.change(2, 'kvorum-2', 7);
    return change.type === 'ok';
  });
});
