import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

test('the example of a cluster in one process forms, changes, loses its leader and goes on', () => {
  const run = spawnSync(process.execPath, ['docs/examples/cluster-in-one-process.ts'], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  assert.equal(run.status, 0, run.stderr);
  const [formed, changed, survived] = run.stdout.split('\n');
  assert.match(formed ?? '', /^formed: leader one, epochs: one 5, two 5, three 5$/);
  assert.match(changed ?? '', /^a namespace was made through a follower: leader one, epochs: .*two 6/);
  assert.match(survived ?? '', /^one stopped; the others go on: leader (two|three), epochs: .*7/);
});
