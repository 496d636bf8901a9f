import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startKvorumCluster } from './kvorum-cluster.ts';
import { LeanRespClient } from './lean-resp-client.ts';
import { hasStrace } from './sync-trace.ts';
import { tracePuts } from './synced-puts.ts';

const PUTS = 400;
const LOOPS = 16;
const skip = !hasStrace()
  ? 'strace is missing: apt-get install strace'
  : process.getuid?.() === 0
    ? false
    : 'attaching strace to processes takes root';

test('over RESP, two of three nodes have synced each put before the client has its answer', {
  skip,
}, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'kvorum-synced-'));
  const times = { electionTimeoutMs: 1000, heartbeatMs: 100 };
  const cluster = await startKvorumCluster({ nodes: 3, ...times, directory });
  const clients = Array.from(
    { length: LOOPS },
    (_, i) => new LeanRespClient(cluster.respEndpoints[i % 3] as string),
  );
  try {
    await cluster.allServe();
    const synced = await tracePuts({
      ...{ directory: `${directory}/trace`, pids: cluster.pids.flatMap((pid) => pid ?? []) },
      ...{ loops: LOOPS, puts: PUTS },
      async put(loop, mark) {
        assert.deepEqual(await clients[loop]?.ask(['SET', `key of ${mark}`, mark]), ['+OK']);
      },
    });
    assert.equal(synced.puts, PUTS);
    assert.deepEqual(synced.byServers.slice(0, 2), [0, 0], JSON.stringify(synced));
    assert.deepEqual(synced.byServersInTheEnd, [0, 0, 0, PUTS]);
  } finally {
    for (const client of clients) client.close();
    await cluster.stop();
    rmSync(directory, { recursive: true, force: true });
  }
});
