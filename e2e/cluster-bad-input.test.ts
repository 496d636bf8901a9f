import assert from 'node:assert/strict';
import { cpSync, rmSync } from 'node:fs';
import { after, before, test } from 'node:test';
import type { ClusterStatus, MemberView } from '../store/cluster/cluster-admin.ts';
import { Cluster } from './lib/cluster.ts';
import type { ClusterNode } from './lib/cluster-node.ts';
import { runCli } from './lib/run-cli.ts';
import { freePort, ServerProcess } from './lib/server-process.ts';
import { TestDirectory } from './lib/test-directory.ts';
import type { TopologyDocument } from './lib/topology-history.ts';

/** What must be refused with a clear error while nothing changes, asked of three real nodes. */
// No partition is placed: members that own data cannot leave or be replaced before it can move.
const SETTINGS = { 'cluster.partitions': 8, 'cluster.initialMembers': 1000 };
const directory = new TestDirectory();
let cluster: Cluster;
before(async () => {
  cluster = await Cluster.start({ directory: directory.path, size: 3, settings: SETTINGS });
});
after(async () => {
  await cluster[Symbol.asyncDispose]();
  directory[Symbol.dispose]();
});

async function topology(): Promise<TopologyDocument> {
  const answer = await cluster.node(1).request<TopologyDocument>('/v1/topology');
  assert.equal(answer.type, 'ok');
  return answer.body;
}

async function members(): Promise<readonly MemberView[]> {
  const answer = await cluster.node(1).request<{ members: MemberView[] }>('/v1/members');
  assert.equal(answer.type, 'ok');
  return answer.body.members;
}

/** Waits until the node's own status satisfies `condition`, and returns it. */
async function statusWhere(
  node: ClusterNode,
  what: string,
  condition: (status: ClusterStatus) => boolean,
): Promise<ClusterStatus> {
  let found: ClusterStatus | undefined;
  await cluster.until(`${node.name}: ${what}`, async () => {
    const status = await node.status();
    if (status !== undefined && condition(status)) found = status;
    return found !== undefined;
  });
  return found as ClusterStatus;
}

const refusals: readonly {
  readonly what: string;
  readonly path: string;
  readonly method?: string;
  readonly body?: unknown;
  readonly status: number;
  readonly code: string;
}[] = [
  {
    what: 'a second bootstrap with another id',
    path: '/v1/cluster:bootstrap',
    body: { clusterId: '0123456789abcdef'.repeat(2) },
    status: 409,
    code: 'ALREADY_BOOTSTRAPPED',
  },
  {
    what: 'a second bootstrap without an id',
    path: '/v1/cluster:bootstrap',
    body: {},
    status: 409,
    code: 'ALREADY_BOOTSTRAPPED',
  },
  {
    what: 'a bootstrap with something that is no id',
    path: '/v1/cluster:bootstrap',
    body: { clusterId: 'mine' },
    status: 400,
    code: 'BAD_FIELD',
  },
  {
    what: 'the removal of a member that there is not',
    path: '/v1/members/kvorum-9:remove',
    status: 404,
    code: 'MEMBER_NOT_FOUND',
  },
  {
    what: 'the removal of a name that is not a DNS label',
    path: '/v1/members/Not_A_Label:remove',
    status: 400,
    code: 'BAD_MEMBER_NAME',
  },
  {
    what: 'a weight that is not allowed',
    path: '/v1/members/kvorum-1',
    method: 'PATCH',
    body: { weight: 0 },
    status: 400,
    code: 'BAD_FIELD',
  },
  {
    what: 'leadership for a member that there is not',
    path: '/v1/cluster:transfer-leadership',
    body: { to: 'kvorum-9' },
    status: 404,
    code: 'MEMBER_NOT_FOUND',
  },
];
for (const { what, path, method, body, status, code } of refusals)
  test(`${what} is refused with ${code} by every node, and nothing is changed`, async () => {
    const before = await topology();
    for (const node of cluster.nodes) {
      const answer = await node.request(path, { method: method ?? 'POST', body });
      assert.equal(answer.type, 'refused', JSON.stringify(answer));
      assert.deepEqual([answer.status, answer.code], [status, code], answer.detail);
    }
    assert.deepEqual(await topology(), before);
  });

test('a second bootstrap with the same id is a success that changes nothing, at every node', async () => {
  const before = await topology();
  for (const node of cluster.nodes) {
    const body = { clusterId: before.clusterId };
    const answer = await node.request('/v1/cluster:bootstrap', { method: 'POST', body });
    assert.deepEqual(answer, {
      type: 'ok',
      status: 200,
      body: { clusterId: before.clusterId, created: false },
    });
  }
  assert.deepEqual(await topology(), before);
});

test('a node with a taken name is refused while the owner is alive, and says so', async () => {
  const before = await topology();
  const extra = await cluster.addNode();
  cluster.start(extra.index, { 'node.name': 'kvorum-2' });
  const says = /'?kvorum-2'?.*alive|alive.*kvorum-2|NAME_TAKEN/;
  const status = await statusWhere(extra, 'does not say that its name is taken', ({ node }) =>
    says.test(node.reason ?? ''),
  );
  assert.notEqual(status.node.state, 'member');
  assert.match(extra.process.log(), says);
  assert.deepEqual(await topology(), before);
  await cluster.kill(extra.index);
});

test('a node of another cluster with our seeds is refused by its cluster id, and both sides say so', async () => {
  const before = await topology();
  using other = new TestDirectory();
  await using foreign = await Cluster.start({ directory: other.path, size: 2, settings: SETTINGS });
  const { clusterId } = await foreign.status(1);
  assert.ok(clusterId !== undefined && clusterId !== before.clusterId);
  // Without its second voter it has no leader, and looks for one at its seeds, which are ours.
  await Promise.all([foreign.kill(1), foreign.kill(2)]);
  const seeds = cluster.nodes.slice(0, 3).map((node) => node.peerAddress);
  foreign.start(1, { 'cluster.seeds': seeds.join(',') });
  const ours = cluster.nodes.slice(0, 3);
  await cluster.until('the refusal is not logged on both sides', async () => {
    const isLogged = (node: ClusterNode, id: string): boolean =>
      node.process
        .log()
        .split('\n')
        .some((line) => /WRONG_CLUSTER/.test(line) && line.includes(id));
    return isLogged(foreign.node(1), before.clusterId) && ours.some((node) => isLogged(node, clusterId));
  });
  const status = await statusWhere(foreign.node(1), 'it does not answer', () => true);
  assert.equal(status.clusterId, clusterId);
  assert.deepEqual(await topology(), before);
});

for (const [index, who] of [
  [3, 'a node'],
  [1, 'the node that made the cluster, told to make one again,'],
] as const)
  test(`${who} with a wiped disk rejoins as a replacement with a number that was never used`, () =>
    rejoinsAfterWipe(index));

async function rejoinsAfterWipe(index: number): Promise<void> {
  const before = await members();
  const node = cluster.node(index);
  const old = before.find(({ name }) => name === node.name)?.number;
  await cluster.kill(index);
  rmSync(`${node.directory}/data`, { recursive: true });
  cluster.start(index);
  const status = await statusWhere(node, 'did not come back', (each) => each.node.state === 'member');
  assert.equal(status.node.member, Math.max(...before.map(({ number }) => number)) + 1);
  await cluster.until('the replacement is not settled', async () => {
    const now = await members();
    return (
      now.length === 3 &&
      now.every(({ liveness, number, isVoter }) => liveness === 'alive' && number !== old && isVoter)
    );
  });
}

test('an older copy of a data directory is refused as the member that it was, and rejoins as a replacement', async () => {
  const node = cluster.node(2);
  const data = `${node.directory}/data`;
  const before = (await members()).find(({ name }) => name === node.name);
  await cluster.stop(2);
  cpSync(data, `${node.directory}/copy`, { recursive: true });
  cluster.start(2);
  await statusWhere(node, 'did not come back', (each) => each.node.state === 'member');
  await cluster.until('the later life is not registered', async () => {
    const now = (await members()).find(({ name }) => name === node.name);
    return (now?.incarnation ?? 0) > (before?.incarnation ?? 0);
  });
  await cluster.stop(2);
  rmSync(data, { recursive: true });
  cpSync(`${node.directory}/copy`, data, { recursive: true });
  // The copy would be its third life, and the cluster has seen that one.
  cluster.start(2);
  const status = await statusWhere(
    node,
    'did not become a replacement',
    (each) => each.node.state === 'member' && each.node.member !== before?.number,
  );
  assert.ok((status.node.member ?? 0) > (before?.number ?? 0));
  assert.match(node.process.log(), /older than what the cluster saw|has seen incarnation/);
  await cluster.until('the replacement is not settled', async () => {
    const now = await members();
    return now.length === 3 && now.every(({ number }) => number !== before?.number);
  });
});

test('a name that is not a DNS label is refused before anything starts', async () => {
  using empty = new TestDirectory();
  const { status, stderr } = runCli('http://127.0.0.1:1', [
    'server',
    '--name',
    'Not_A_Label',
    '--data-dir',
    `${empty.path}/data`,
  ]);
  assert.equal(status, 2);
  assert.match(stderr, /node\.name is "Not_A_Label".*DNS label/s);
});

test('the last member cannot be removed, and serves on', async () => {
  using alone = new TestDirectory();
  const server = await ServerProcess.start({
    directory: alone.path,
    port: await freePort(),
    settings: { ...SETTINGS, 'storage.reserveBytes': 0 },
  });
  const answer = await fetch(`${server.url}/v1/members/kvorum-1:remove`, { method: 'POST' });
  const { code } = (await answer.json()) as { code: string };
  assert.deepEqual([answer.status, code], [409, 'LAST_MEMBER']);
  const put = await fetch(`${server.url}/v1/kv/default/k`, { method: 'PUT', body: 'v' });
  assert.equal(put.status, 204);
  assert.equal(await server.stop(), 0);
});
