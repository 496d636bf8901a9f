import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settle } from '../../store/io/settle.ts';
import { SimClock } from '../../store/sim/sim-clock.ts';
import { KubeError } from './kube-error.ts';
import { silentLog } from './kube-log.ts';
import { WorkQueue } from './work-queue.ts';
import { TerminalError, type Work, WorkerPool } from './worker-pool.ts';

function setup(work: Work, workers = 1) {
  const clock = new SimClock();
  const queue = new WorkQueue({}, { clock });
  const outcomes: string[] = [];
  const observe = (outcome: string): void => void outcomes.push(outcome);
  const pool = new WorkerPool({ workers }, { queue, work, clock, log: silentLog, observe });
  pool.start();
  return { clock, queue, outcomes, pool };
}

test('a success is forgotten, one that asks for it is looked at again, and a failure is repeated', async () => {
  const answers = [new Error('first'), new Error('second'), { requeueAfterMs: 30_000 }, {}];
  const worked: number[] = [];
  const world = setup(async () => {
    worked.push(world.clock.monotonicMs());
    const answer = answers.shift()!;
    if (answer instanceof Error) throw answer;
    return answer;
  });
  world.queue.add('a');
  for (let at = 0; at < 4; at++) {
    await settle();
    world.clock.advance(20_000);
  }
  await settle();
  assert.deepEqual(world.outcomes, ['error', 'error', 'requeue_after', 'success']);
  assert.deepEqual(worked, [0, 20_000, 40_000, 80_000]);
  assert.equal(world.queue.failures('a'), 0);
  await world.pool.stop(0);
});

test('a conflict is repeated, a terminal failure is not, and a server that says when is believed', async () => {
  const failures = [
    new KubeError(409, 'Conflict', 'c'),
    new KubeError(429, 'Slow', 's', { retryAfterMs: 9000 }),
  ];
  const world = setup(async () => {
    throw failures.shift() ?? new TerminalError('no use');
  });
  world.queue.add('a');
  await settle();
  world.clock.advance(5);
  await settle();
  world.clock.advance(8999);
  await settle();
  assert.equal(world.outcomes.length, 2);
  world.clock.advance(1);
  await settle();
  world.clock.advance(10_000_000);
  await settle();
  assert.deepEqual(world.outcomes, ['conflict', 'error', 'terminal_error']);
  await world.pool.stop(0);
});

test('one key is worked on by one worker, different ones by several at once', async () => {
  const open = new Map<string, () => void>();
  const world = setup((key) => new Promise((resolve) => open.set(key, () => resolve({}))), 2);
  for (const key of ['a', 'b', 'c']) world.queue.add(key);
  await settle();
  world.queue.add('a');
  assert.deepEqual([[...open.keys()], world.pool.active], [['a', 'b'], 2]);
  const first = open.get('a')!;
  open.clear();
  first();
  await settle();
  assert.deepEqual([...open.keys()], ['c']);
  open.get('c')!();
  await settle();
  assert.deepEqual([...open.keys()], ['c', 'a']);
});

test('a stop begins nothing, waits for what is under way, and tells it to end after the time of grace', async () => {
  const ended: string[] = [];
  const world = setup(
    (key, signal) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          ended.push(key);
          reject(signal.reason);
        });
      }),
  );
  world.queue.add('a');
  world.queue.add('b');
  await settle();
  let isStopped = false;
  const stopped = world.pool.stop(30_000).then(() => {
    isStopped = true;
  });
  world.clock.advance(29_999);
  await settle();
  assert.deepEqual([isStopped, ended], [false, []]);
  world.clock.advance(1);
  await stopped;
  assert.deepEqual(ended, ['a']);
});

test('an abort ends what is under way at once', async () => {
  const world = setup(
    (_, signal) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  );
  world.queue.add('a');
  await settle();
  await world.pool.abort();
  assert.equal(world.pool.active, 0);
});
