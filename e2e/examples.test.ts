import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

test('the example of a cluster in one process forms, replicates, changes, loses its leader and keeps its data', () => {
  const run = spawnSync(process.execPath, ['docs/examples/cluster-in-one-process.ts'], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  assert.equal(run.status, 0, run.stderr);
  const [formed, written, explained, changed, survived, kept] = run.stdout.split('\n');
  assert.match(formed ?? '', /^formed: leader one, epochs: one 6, two 6, three 6$/);
  assert.equal(written, 'written at two, read at three: hello');
  assert.match(explained ?? '', /^3 of 3 replicas hold version \S+; safe$/);
  assert.match(changed ?? '', /^a namespace was made through a follower: leader one, epochs: .*two 7/);
  assert.match(survived ?? '', /^one stopped; the others go on: leader (two|three), epochs: .*8/);
  assert.equal(kept, 'read with two of three: hello, then hello again');
});
