import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClusterError } from '../../store/cluster/cluster-admin.ts';
import { startTestServer } from '../../store/io/http/test-server.ts';
import { ClientStoreView } from './client-store-view.ts';
import { StoreRefusal, type StoreTarget } from './store-view.ts';

const NOBODY = 'http://127.0.0.1:9';

function target(...urls: readonly string[]): StoreTarget {
  const nodes = urls.map((url, index) => ({ name: `node-${index + 1}`, url }));
  return { key: 'shop/kv', nodes, access: {} };
}

test('look: what each node says of itself, and what the leader says of all', async () => {
  await using server = await startTestServer();
  await using view = new ClientStoreView();
  for (const name of ['node-2', 'node-3']) server.cluster.addMember(name);
  server.cluster.liveness.set(3, 'dead');
  const { nodes, topology, heard } = await view.look(target(server.url, NOBODY));
  assert.deepEqual(
    nodes.map(({ name, state, clusterId }) => [name, state, clusterId]),
    [['node-1', 'member', '0'.repeat(32)]],
  );
  assert.deepEqual(
    topology?.members.map(({ number, name, isUp }) => [number, name, isUp]),
    [
      [1, 'node-1', true],
      [2, 'node-2', true],
      [3, 'node-3', false],
    ],
  );
  assert.equal(topology?.leader, 'node-1');
  assert.deepEqual(heard, ['node-1', 'node-2', 'node-3']);
});

test('look: by which settings file a node goes, and whether it reads one as it runs', async () => {
  await using server = await startTestServer();
  await using view = new ClientStoreView();
  const settings = async () => (await view.look(target(server.url))).nodes[0]?.settings;
  server.config = { file: 'f', fileHash: 'a', restartNeeded: [] };
  assert.deepEqual(await settings(), { type: 'live', fileHash: 'a', refused: undefined });
  server.config = { file: 'f', fileHash: 'a', problem: 'no', refusedHash: 'b', restartNeeded: [] };
  const refused = { fileHash: 'b', problem: 'no' };
  assert.deepEqual(await settings(), { type: 'live', fileHash: 'a', refused });
  for (const config of [undefined, { restartNeeded: [] }]) {
    server.config = config;
    assert.deepEqual(await settings(), { type: 'fixed' });
  }
});

test('look: without a leader there is no topology, and the members that a node has heard of', async () => {
  await using server = await startTestServer();
  await using view = new ClientStoreView();
  server.cluster.addMember('node-2');
  server.cluster.failure = new ClusterError('NO_LEADER', 'gone');
  const { nodes, topology, heard } = await view.look(target(server.url));
  assert.equal(nodes.length, 1);
  assert.equal(topology, undefined);
  assert.deepEqual(heard, ['node-1', 'node-2']);
});

test('look: where nobody answers nothing is seen, and nothing is thrown', async () => {
  await using view = new ClientStoreView();
  const nothing = { nodes: [], topology: undefined, heard: [] };
  assert.deepEqual(await view.look(target(NOBODY)), nothing);
  assert.deepEqual(await view.look(target()), nothing);
});

test('a no of the store is a refusal with its code; what went wrong is none', async () => {
  await using server = await startTestServer();
  await using view = new ClientStoreView();
  server.cluster.addMember('node-2');
  const here = target(server.url);
  const tooFew = view.start(here, { type: 'factor', replicationFactor: 9 });
  await assert.rejects(tooFew, (error) => error instanceof StoreRefusal && error.code === 'TOO_FEW_MEMBERS');
  const cannotStop = view.askToStop(here, 'node-1', { isLook: false });
  await assert.rejects(cannotStop, (error) => error instanceof StoreRefusal && error.code === 'CANNOT_STOP');
  const unreachable = view.start(target(NOBODY), { type: 'drain', member: 'node-2' });
  await assert.rejects(unreachable, (error) => !(error instanceof StoreRefusal));
});

test('a drain is asked for in the name of the operator, and cancelled by its id', async () => {
  await using server = await startTestServer();
  await using view = new ClientStoreView();
  for (const name of ['node-2', 'node-3', 'node-4']) server.cluster.addMember(name);
  const here = target(server.url);
  await view.start(here, { type: 'drain', member: 'node-4' });
  const [drain] = (await view.look(here)).topology?.operations ?? [];
  assert.deepEqual([drain?.type, drain?.member, drain?.by], ['drain', 'node-4', 'kvorum-operator']);
  await view.cancel(here, drain?.id ?? '');
  assert.deepEqual((await view.look(here)).topology?.operations, []);
});
