import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../store/io/system-clock.ts';
import { SimClock } from '../../store/sim/sim-clock.ts';
import { createSimRandom } from '../../store/sim/sim-random.ts';
import { FakeApiServer } from '../testing/fake-api-server.ts';
import { until } from '../testing/until.ts';
import { EVENT_LIMITS, EventCorrelator, type EventLimits, type EventText } from './event-limits.ts';
import { EventRecorder } from './event-recorder.ts';
import { KubeClient } from './kube-client.ts';
import { plainConnection } from './kube-connection.ts';
import { silentLog } from './kube-log.ts';
import type { KubeObject } from './resource.ts';
import { events } from './resources.ts';

const ABOUT: KubeObject = {
  ...{ apiVersion: 'kvorum.dev/v1alpha1', kind: 'KVCluster' },
  metadata: { name: 'prod', namespace: 'n', uid: 'u1', resourceVersion: '7' },
};

const text = (note: string, changes: Partial<EventText> = {}): EventText => ({
  ...{ type: 'Normal', reason: 'Drained', action: 'Drain', note },
  ...changes,
});

async function setup(changes: { readonly limits?: EventLimits; readonly waitingMax?: number } = {}) {
  const server = await FakeApiServer.start();
  const connection = plainConnection(server.url);
  const clock = new SimClock(Date.UTC(2026, 0, 1));
  const client = new KubeClient({ fieldManager: 'me' }, { connection, clock: systemClock });
  const warnings: string[] = [];
  const log = { ...silentLog, warn: (_: object, message: string) => void warnings.push(message) };
  const options = { controller: 'kvorum.dev/operator', instance: 'pod-1', ...changes };
  const recorder = new EventRecorder(options, { client, clock, random: createSimRandom(1), log });
  const dispose = async (): Promise<void> => {
    await recorder.stop();
    await connection.close();
    await server[Symbol.asyncDispose]();
  };
  return { server, clock, recorder, warnings, [Symbol.asyncDispose]: dispose };
}

test('an event says what happened, to what, and who says so', async () => {
  await using world = await setup();
  world.recorder.record(ABOUT, text('prod-4 gave its data away'));
  await world.recorder.flush();
  const [event] = world.server.list(events);
  assert.match(event?.metadata.name ?? '', /^prod\.[0-9a-f]{16}$/);
  const { metadata: _, apiVersion: __, kind: ___, ...rest } = event!;
  assert.deepEqual(rest, {
    ...{ type: 'Normal', reason: 'Drained', action: 'Drain', note: 'prod-4 gave its data away' },
    ...{ eventTime: '2026-01-01T00:00:00.000000Z' },
    ...{ reportingController: 'kvorum.dev/operator', reportingInstance: 'pod-1' },
    regarding: {
      ...{ apiVersion: 'kvorum.dev/v1alpha1', kind: 'KVCluster', name: 'prod', namespace: 'n', uid: 'u1' },
      resourceVersion: '7',
    },
  });
});

test('the same event again is counted, and is a new one after ten quiet minutes or when it is gone', async () => {
  await using world = await setup();
  const { server, recorder, clock } = world;
  for (let at = 0; at < 3; at++) {
    recorder.record(ABOUT, text('waits'));
    clock.advance(60_000);
  }
  await recorder.flush();
  assert.deepEqual(
    server.list(events).map(({ series }) => series),
    [{ count: 3, lastObservedTime: '2026-01-01T00:02:00.000000Z' }],
  );
  clock.advance(600_000);
  recorder.record(ABOUT, text('waits'));
  await recorder.flush();
  assert.equal(server.list(events).length, 2);
  for (const { metadata } of server.list(events)) server.remove(events, metadata);
  recorder.record(ABOUT, text('waits'));
  await recorder.flush();
  assert.equal(server.list(events).length, 1);
});

test('events that differ in their notes alone become one', async () => {
  await using world = await setup();
  for (let at = 0; at < 20; at++) world.recorder.record(ABOUT, text(`moved ${at}`));
  await world.recorder.flush();
  const found = world.server.list(events);
  const [combined, ...others] = found.filter(({ note }) =>
    note?.startsWith('(combined from similar events): '),
  );
  assert.deepEqual(
    [found.length, others.length, combined?.note],
    [11, 0, '(combined from similar events): moved 10'],
  );
  assert.equal(combined?.series?.count, 10);
});

test('one object has 25 events at once and one more in five minutes; others have their own', async () => {
  const clock = new SimClock();
  const correlator = new EventCorrelator(EVENT_LIMITS, { clock });
  const judged = (about: string, count: number): number =>
    Array.from({ length: count }, () => correlator.judge(about, text('x'))).filter(
      ({ type }) => type !== 'dropped',
    ).length;
  assert.deepEqual([judged('a', 100), judged('b', 1)], [25, 1]);
  clock.advance(299_000);
  assert.equal(judged('a', 5), 0);
  clock.advance(1000);
  assert.equal(judged('a', 5), 1);
  // What was dropped is in the count of the next one.
  clock.advance(300_000);
  assert.deepEqual(correlator.judge('a', text('x')), {
    type: 'again',
    key: JSON.stringify([JSON.stringify(['a', 'Normal', 'Drained', 'Drain']), 'x']),
    count: 111,
  });
});

test('the correlator forgets the oldest rather than grow', () => {
  const clock = new SimClock();
  const correlator = new EventCorrelator({ ...EVENT_LIMITS, rememberedMax: 2 }, { clock });
  for (const about of ['a', 'b', 'c']) correlator.judge(about, text('x'));
  assert.equal(correlator.judge('c', text('x')).type, 'again');
  assert.equal(correlator.judge('a', text('x')).type, 'first');
});

test('an event that cannot be sent is logged, and the next one is sent', async () => {
  await using world = await setup();
  world.server.inject({ type: 'status', status: 500 });
  world.recorder.record(ABOUT, text('one'));
  world.recorder.record(ABOUT, text('two'));
  await world.recorder.flush();
  assert.deepEqual(
    world.server.list(events).map(({ note }) => note),
    ['two'],
  );
  assert.deepEqual(world.warnings, ['an event was not sent']);
});

test('a series whose first event was not sent begins with the next', async () => {
  await using world = await setup();
  world.server.inject({ type: 'status', status: 500 });
  for (let at = 0; at < 3; at++) world.recorder.record(ABOUT, text('one'));
  await world.recorder.flush();
  assert.deepEqual(
    world.server.list(events).map(({ note, series }) => [note, series?.count]),
    [['one', 3]],
  );
});

test('while the server does not answer, events wait up to a limit, and nobody waits for them', async () => {
  await using world = await setup({ waitingMax: 3 });
  const { promise, resolve } = Promise.withResolvers<undefined>();
  world.server.onCall(() => promise);
  for (let at = 0; at < 5; at++) world.recorder.record(ABOUT, text(`${at}`));
  await until('a call', () => world.server.calls.length === 1);
  assert.equal(world.warnings.length, 2);
  resolve(undefined);
  await world.recorder.stop();
  assert.equal(world.server.list(events).length, 3);
  world.recorder.record(ABOUT, text('late'));
  await world.recorder.flush();
  assert.equal(world.server.list(events).length, 3);
});

test('notes have a limit, and objects without a namespace are reported in the default one', async () => {
  await using world = await setup();
  const { namespace: _, ...metadata } = ABOUT.metadata;
  world.recorder.record({ ...ABOUT, metadata }, text('x'.repeat(5000), { type: 'Warning' }));
  await world.recorder.flush();
  const [event] = world.server.list(events);
  assert.deepEqual(
    [event?.note?.length, event?.metadata.namespace, event?.type],
    [1024, 'default', 'Warning'],
  );
});
