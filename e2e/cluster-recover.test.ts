import assert from 'node:assert/strict';
import { renameSync, rmSync } from 'node:fs';
import { test } from 'node:test';
import { ENGINE_DEFAULTS, openEngine } from '../store/io/open-engine.ts';
import { systemClock } from '../store/io/system-clock.ts';
import { systemRandom } from '../store/io/system-random.ts';
import { KEYS } from '../store/storage/raft-store/testing.ts';
import { Cluster } from './lib/cluster.ts';
import type { ClusterNode } from './lib/cluster-node.ts';
import { runCli } from './lib/run-cli.ts';
import { freePort, ServerProcess } from './lib/server-process.ts';
import { TestDirectory } from './lib/test-directory.ts';

const SETTINGS = { 'cluster.partitions': 8 };

/** `directory` is that of the node, with its data and its log. */
function recover({ url, directory }: { url: string; directory: string }, ...args: readonly string[]) {
  return runCli(url, ['cluster', 'recover', '--data-dir', `${directory}/data`, ...args]);
}

test('two of three are lost for good: the survivor goes on by hand, keeps the old ones out and takes emptied ones in', async () => {
  using directory = new TestDirectory();
  await using cluster = await Cluster.start({ directory: directory.path, size: 3, settings: SETTINGS });
  const [first, second, survivor] = cluster.nodes as [ClusterNode, ClusterNode, ClusterNode];
  const before = await cluster.status(3);
  const clusterId = before.clusterId as string;
  const changed = await cluster.change(1, survivor.name, 77);
  assert.equal(changed.type, 'ok', JSON.stringify(changed));
  await cluster.settled();

  const inUse = recover(survivor);
  assert.deepEqual([inUse.status, /in use by a running node/.test(inUse.stderr)], [3, true], inUse.stderr);

  for (const node of [first, second]) {
    await cluster.kill(node.index);
    renameSync(node.directory, `${node.directory}-lost`);
  }
  await cluster.until('the survivor does not say that the quorum is lost', async () => {
    return (await cluster.status(3)).quorum.state === 'lost';
  });
  const ready = await fetch(`${survivor.url}/readyz`);
  assert.equal(ready.status, 503);
  assert.match(await ready.text(), /majority of the voters/);
  const status = runCli(survivor.url, ['cluster', 'status']);
  assert.equal(status.status, 1, status.stderr);
  assert.match(status.stdout, /^quorum +lost: .*majority of the voters/);
  await cluster.stop(3);

  const report = recover(survivor);
  assert.equal(report.status, 0, report.stderr);
  assert.match(report.stdout, new RegExp(`cluster +${clusterId}, epoch `));
  assert.match(report.stdout, /dropped: kvorum-1 \(1\), kvorum-2 \(\d\)/);
  assert.match(report.stdout, new RegExp(`--confirm ${clusterId}`));
  const wrong = recover(survivor, '--confirm', 'f'.repeat(32));
  assert.deepEqual([wrong.status, /nothing was changed/.test(wrong.stderr)], [2, true], wrong.stderr);

  const done = recover(survivor, '--output', 'json', '--confirm', clusterId);
  assert.equal(done.status, 0, done.stderr);
  const { recovered, made } = JSON.parse(done.stdout) as {
    recovered: boolean;
    made: { clusterId: string; epoch: number };
  };
  assert.equal(recovered, true);
  assert.notEqual(made.clusterId, clusterId);

  cluster.start(3);
  await cluster.until('the survivor does not lead', async () => {
    const status = await survivor.status();
    return (
      status?.clusterId === made.clusterId && status.quorum.state === 'ok' && status.node.role === 'leader'
    );
  });
  assert.equal((await fetch(`${survivor.url}/readyz`)).status, 200);
  const alone = await cluster.status(3);
  assert.deepEqual([alone.members.total, alone.node.member], [1, before.node.member]);
  assert.ok(alone.epoch >= made.epoch);

  // One of the old ones is found again: it stays outside, and both sides say why.
  renameSync(`${second.directory}-lost`, second.directory);
  cluster.start(2);
  const says = (node: ClusterNode): boolean =>
    node.process
      .log()
      .split('\n')
      .some(
        (line) => line.includes('WRONG_CLUSTER') && line.includes(clusterId) && line.includes(made.clusterId),
      );
  await cluster.until('the old node is not refused by its cluster id', async () => {
    return says(second) && says(survivor);
  });
  assert.equal((await cluster.status(3)).members.total, 1);
  await cluster.kill(2);

  rmSync(second.directory, { recursive: true });
  cluster.start(1, { 'cluster.bootstrap': 'false' });
  cluster.start(2);
  await cluster.settled();
  const after = await cluster.status(1);
  assert.deepEqual([after.clusterId, after.members.total], [made.clusterId, 3]);
  assert.ok((after.node.member as number) > 1000, 'numbers of the old cluster are not given out again');
  const change = await cluster.change(2, 'kvorum-1', 55);
  assert.equal(change.type, 'ok', JSON.stringify(change));
  const members = runCli(first.url, ['--output', 'json', 'nodes']);
  const { members: listed } = JSON.parse(members.stdout) as { members: { name: string; weight: number }[] };
  const weights = Object.fromEntries(listed.map(({ name, weight }) => [name, weight]));
  assert.deepEqual([weights['kvorum-1'], weights['kvorum-3']], [55, 77]);
});

/** Flips a bit of the last entry of the log. */
async function damageLog(dataDir: string): Promise<void> {
  const options = { ...ENGINE_DEFAULTS, location: dataDir };
  const { engine } = await openEngine('auto', options, { clock: systemClock, random: systemRandom });
  await using view = engine.openView({ reverse: true });
  const { entries } = await view.page(KEYS.entries, { entriesMax: 1, bytesMax: 1 << 20 });
  const [last] = entries;
  assert.ok(last !== undefined, 'the log has no entry');
  const value = new Uint8Array(last.value);
  value[value.length - 1] = (value.at(-1) as number) ^ 1;
  await engine.write([{ type: 'put', key: last.key, value }], { sync: true });
  await view.close();
  await engine.close();
}

test('S5: a node that is alone with a damaged log does not start, points to the recovery, and keeps its data', async () => {
  using directory = new TestDirectory();
  const options = {
    directory: directory.path,
    port: await freePort(),
    settings: { 'storage.reserveBytes': 0, 'cluster.partitions': 8 },
  };
  const before = await ServerProcess.start(options);
  const key = `${before.url}/v1/kv/default/k`;
  assert.equal((await fetch(key, { method: 'PUT', body: 'kept' })).status, 204);
  const { clusterId } = (await (await fetch(`${before.url}/v1/cluster`)).json()) as { clusterId: string };
  await before.stop();
  await damageLog(`${directory.path}/data`);

  const refused = ServerProcess.spawn(options);
  assert.equal(await refused.exited, 3);
  assert.match(refused.logTail(), /Raft log of member 1 is damaged.*kvorum cluster recover/);
  const node = { url: refused.url, directory: directory.path };
  const report = recover(node);
  assert.equal(report.status, 0, report.stderr);
  assert.match(
    report.stdout,
    /damaged +entry \d+ fails its checksum; readable up to \d+, lost from there to/,
  );
  const done = recover(node, '--confirm', clusterId);
  assert.equal(done.status, 0, done.stderr);
  const after = await ServerProcess.start(options);
  assert.equal(await (await fetch(key)).text(), 'kept');
  await after.stop();
});
