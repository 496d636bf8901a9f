import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settle } from '../../store/io/settle.ts';
import { systemClock } from '../../store/io/system-clock.ts';
import { SimClock } from '../../store/sim/sim-clock.ts';
import { createSimRandom } from '../../store/sim/sim-random.ts';
import { FakeApiServer } from '../testing/fake-api-server.ts';
import { until } from '../testing/until.ts';
import { Informer, type InformerOptions } from './informer.ts';
import { KubeClient } from './kube-client.ts';
import { plainConnection } from './kube-connection.ts';
import { silentLog } from './kube-log.ts';
import { type ConfigMap, configMaps } from './resources.ts';

type Options = InformerOptions<ConfigMap> & { readonly clock?: SimClock; readonly watchClock?: SimClock };

/** An informer of config maps that retries at once unless a clock is given. */
async function setup({ clock, watchClock, ...options }: Options = {}) {
  const server = await FakeApiServer.start();
  const connection = plainConnection(server.url);
  const client = new KubeClient(
    { fieldManager: 'me', pageSize: 2 },
    { connection, clock: watchClock ?? systemClock },
  );
  const deps = { client, clock: clock ?? systemClock, random: createSimRandom(1), log: silentLog };
  const backOff = clock === undefined ? { firstMs: 1, maxMs: 10 } : { firstMs: 800, maxMs: 30_000 };
  const informer = new Informer(configMaps, { backOff, ...options }, deps);
  const told: string[] = [];
  informer.onEvent(({ type, object }) => void told.push(`${type} ${object.metadata.name}=${object.data?.v}`));
  const dispose = async (): Promise<void> => {
    await informer.stop();
    await connection.close();
    await server[Symbol.asyncDispose]();
  };
  const put = (name: string, v: number, namespace = 'n') =>
    server.put(configMaps, { metadata: { name, namespace }, data: { v: `${v}` } });
  const knows = (...wanted: string[]) => {
    const text = (): string =>
      informer
        .list()
        .map(({ metadata, data }) => `${metadata.name}=${data?.v}`)
        .sort()
        .join();
    return until(wanted.join(), () => text() === wanted.join());
  };
  const count = (verb: string): number => server.calls.filter((call) => call.verb === verb).length;
  const watching = () => until('a watch', () => server.watches.size > 0);
  return { server, client, informer, told, put, knows, count, watching, [Symbol.asyncDispose]: dispose };
}

test('what is there is listed by pages, and changes follow', async () => {
  await using world = await setup();
  for (const name of ['a', 'b', 'c']) world.put(name, 1);
  world.informer.start();
  assert.equal(world.informer.isSynced, false);
  await world.informer.synced();
  assert.equal(world.informer.isSynced, true);
  await world.watching();
  world.put('b', 2);
  world.server.remove(configMaps, { namespace: 'n', name: 'a' });
  world.put('d', 1);
  await world.knows('b=2', 'c=1', 'd=1');
  assert.deepEqual(world.told, [
    'added a=1',
    'added b=1',
    'added c=1',
    'modified b=2',
    'deleted a=1',
    'added d=1',
  ]);
  const [object] = world.informer.list();
  assert.equal(object?.metadata.managedFields, undefined);
  assert.equal(object?.kind, 'ConfigMap');
  assert.deepEqual([world.count('list'), world.count('watch')], [2, 1]);
  const query = world.server.calls.at(-1)!.query;
  assert.equal(query.get('allowWatchBookmarks'), 'true');
  assert.ok(Number(query.get('timeoutSeconds')) >= 300);
});

test('a watch that is cut goes on from the last version, without a list', async () => {
  await using world = await setup();
  world.informer.start();
  await world.watching();
  world.put('a', 1);
  await world.knows('a=1');
  world.server.watches.cut();
  world.put('a', 2);
  await world.knows('a=2');
  assert.deepEqual([world.count('list'), world.count('watch')], [1, 2]);
  const versions = world.server.calls.map(({ query }) => query.get('resourceVersion'));
  assert.deepEqual(versions, [null, '100', '101']);
});

test('a bookmark is a version to go on from', async () => {
  await using world = await setup({ labelSelector: 'nobody' });
  world.informer.start();
  await world.watching();
  world.put('a', 1);
  world.server.watches.bookmark();
  world.server.compact();
  await settle();
  world.server.watches.end();
  await until('a second watch', () => world.count('watch') === 2);
  assert.equal(world.server.calls.at(-1)?.query.get('resourceVersion'), '101');
  assert.equal(world.count('list'), 1);
});

for (const how of ['as an answer', 'as an event'] as const)
  test(`a version that is forgotten (410 ${how}) leads to a list, and deletions in between are told`, async () => {
    await using world = await setup();
    world.put('a', 1);
    world.put('b', 1);
    world.informer.start();
    await world.watching();
    world.server.watches.lose(() => true);
    world.server.remove(configMaps, { namespace: 'n', name: 'a' });
    world.put('b', 2);
    world.server.compact();
    world.server.watches.lose(() => false);
    if (how === 'as an event') world.server.watches.error(410, 'Expired', 'too old resource version');
    else world.server.watches.cut();
    await world.knows('b=2');
    assert.deepEqual(world.told, ['added a=1', 'added b=1', 'deleted a=1', 'modified b=2']);
    assert.equal(world.count('list'), 2);
  });

test('refusals of lists and watches (429, 500, 503, a cut connection) are waited out', async () => {
  await using world = await setup();
  world.put('a', 1);
  for (const status of [429, 500, 503]) world.server.inject({ type: 'status', status });
  world.server.inject({ type: 'drop' });
  world.informer.start();
  await world.informer.synced();
  for (const status of [429, 500, 503, 504])
    world.server.inject({ type: 'status', status }, { when: ({ verb }) => verb === 'watch' });
  world.server.watches.cut();
  world.put('a', 2);
  await world.knows('a=2');
  assert.equal(world.server.calls.filter(({ status }) => status === 503).length, 2);
});

test('waits double up to half a minute, with jitter, and are at least what the server asks for', async () => {
  const clock = new SimClock();
  await using world = await setup({ clock });
  const { server } = world;
  const startsMs: number[] = [];
  server.onCall(() => {
    startsMs.push(clock.nowMs());
    return startsMs.length === 9
      ? { type: 'status', status: 429, retryAfterS: 100 }
      : { type: 'status', status: 500 };
  });
  world.informer.start();
  await until('ten lists', () => startsMs.length === 10, clock);
  const waits = startsMs.slice(1).map((startMs, at) => startMs - startsMs[at]!);
  const bounds = [800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000, 100_000];
  for (const [at, wait] of waits.entries())
    assert.ok(wait >= bounds[at]! && wait <= 2 * bounds[at]!, `${at}: ${wait} for ${bounds[at]}`);
});

test('a server that ends every watch at once is not hammered', async () => {
  const clock = new SimClock();
  await using world = await setup({ clock });
  world.informer.start();
  await world.watching();
  const endAtOnce = setInterval(() => world.server.watches.end(), 1);
  const startMs = clock.monotonicMs();
  await until('eight watches', () => world.count('watch') >= 8, clock);
  clearInterval(endAtOnce);
  assert.ok(clock.monotonicMs() - startMs > 30_000, `${clock.monotonicMs() - startMs}`);
});

test('a connection that is half open is given up after a time of silence', async () => {
  const watchClock = new SimClock();
  await using world = await setup({ watchClock, idleMs: 90_000 });
  world.informer.start();
  await world.watching();
  world.put('a', 1);
  await world.knows('a=1');
  world.server.watches.freeze();
  world.put('a', 2);
  await settle();
  watchClock.advance(89_999);
  await settle();
  assert.equal(world.count('watch'), 1);
  watchClock.advance(1);
  await world.knows('a=2');
  assert.deepEqual([world.count('list'), world.count('watch')], [1, 2]);
});

test('garbage in a watch ends that watch and nothing else', async () => {
  await using world = await setup();
  world.informer.start();
  await world.watching();
  world.server.watches.write('<html>bad gateway</html>\n');
  await until('another watch', () => world.count('watch') === 2);
  world.put('a', 1);
  await world.knows('a=1');
});

test('a handler that throws is called again, and the others miss nothing', async () => {
  await using world = await setup();
  let calls = 0;
  world.informer.onEvent(() => {
    calls++;
    throw new Error('a bug');
  });
  world.informer.start();
  await world.watching();
  world.put('a', 1);
  world.put('a', 2);
  await world.knows('a=2');
  assert.deepEqual([calls, world.count('watch')], [2, 1]);
});

test('stop is final: no call, no event and no watch afterwards, wherever it is', async () => {
  await using world = await setup();
  world.informer.start();
  await world.watching();
  await world.informer.stop();
  await until('the end of the watch', () => world.server.watches.size === 0);
  world.put('a', 1);
  world.server.watches.cut();
  await settle();
  assert.deepEqual([world.told, world.count('list'), world.count('watch')], [[], 1, 1]);
  const clock = new SimClock();
  await using waiting = await setup({ clock });
  waiting.server.inject({ type: 'status', status: 500 }, { times: 99 });
  waiting.informer.start();
  await until('a failed list', () => waiting.server.calls[0]?.status === 500);
  await waiting.informer.stop();
  clock.advance(1_000_000);
  await settle();
  assert.equal(waiting.server.calls.length, 1);
  await assert.rejects(waiting.informer.synced(), /stopped before it knew everything/);
});

test('events that were lost are found out by the next complete list', async () => {
  await using world = await setup({ relistMs: 500 });
  world.put('gone', 1);
  world.informer.start();
  await world.watching();
  world.server.watches.lose(() => true);
  world.put('a', 1);
  world.server.remove(configMaps, { namespace: 'n', name: 'gone' });
  await world.knows('a=1');
});

test('a list of the past is not believed while the server knows better', async () => {
  await using world = await setup();
  world.put('a', 1);
  world.informer.start();
  await world.watching();
  const { version } = world.server.objects;
  world.put('a', 2);
  await world.knows('a=2');
  world.server.serveStaleLists(version);
  world.server.watches.error(410, 'Expired', 'too old');
  await until('three lists', () => world.count('list') >= 3);
  world.server.serveStaleLists(undefined);
  world.put('a', 3);
  await world.knows('a=3');
  assert.deepEqual(world.told, ['added a=1', 'modified a=2', 'modified a=3']);
});

test('a server whose data was restored to an older version is believed in the end', async () => {
  await using world = await setup();
  world.put('a', 1);
  world.informer.start();
  await world.watching();
  const { version } = world.server.objects;
  world.put('a', 2);
  await world.knows('a=2');
  world.server.serveStaleLists(version);
  world.server.watches.lose(() => true);
  world.server.inject(
    { type: 'status', status: 410, reason: 'Expired' },
    { when: ({ verb }) => verb === 'watch' },
  );
  world.server.watches.cut();
  await world.knows('a=1');
});

test('events the wrong way round do not take an object back in time', async () => {
  await using world = await setup();
  world.informer.start();
  await world.watching();
  world.server.watches.reorder(3);
  for (const v of [1, 2, 3]) world.put('a', v);
  await world.knows('a=3');
  world.server.watches.cut();
  await until('another watch', () => world.count('watch') === 2);
  assert.equal(world.server.calls.at(-1)?.query.get('resourceVersion'), '103');
  assert.deepEqual(world.told, ['added a=3']);
});

test('several namespaces are known together, and synced when all of them are', async () => {
  await using world = await setup({ namespaces: ['m', 'n', 'm'] });
  for (const namespace of ['m', 'n', 'o']) world.put(namespace, 1, namespace);
  world.server.inject(
    { type: 'status', status: 403 },
    { when: ({ namespace }) => namespace === 'n', times: 3 },
  );
  world.informer.start();
  await until('the list of m', () => world.informer.size === 1);
  assert.equal(world.informer.isSynced, false);
  await world.informer.synced();
  await until('two watches', () => world.server.watches.size === 2);
  world.put('m2', 1, 'm');
  world.put('o2', 1, 'o');
  await world.knows('m2=1', 'm=1', 'n=1');
  assert.equal(world.informer.get({ namespace: 'n', name: 'n' })?.data?.v, '1');
  assert.equal(world.informer.list('m').length, 2);
});

test('a resync tells of every object again', async () => {
  const clock = new SimClock();
  await using world = await setup({ clock, resyncMs: 60_000 });
  world.put('a', 1);
  world.informer.start();
  await world.informer.synced();
  clock.advance(120_000);
  assert.deepEqual(world.told, ['added a=1', 'resync a=1', 'resync a=1']);
});

test('an API server that is away for a while is found again', async () => {
  await using world = await setup();
  world.informer.start();
  await world.watching();
  await world.server.stop();
  world.put('a', 1);
  await settle();
  await world.server.restart();
  await world.knows('a=1');
});
