import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { silentLog } from './kube-log.ts';
import { type CacheEvent, ObjectCache } from './object-cache.ts';
import type { KubeObject } from './resource.ts';

const object = (name: string, version: number, uid = name, namespace = 'n'): KubeObject => ({
  metadata: { name, namespace, uid, resourceVersion: `${version}` },
});

function setup() {
  const cache = new ObjectCache<KubeObject>({ log: silentLog });
  const told: string[] = [];
  const text = ({ type, object: { metadata } }: CacheEvent<KubeObject>): string =>
    `${type} ${metadata.name}@${metadata.resourceVersion}`;
  cache.onEvent((event) => void told.push(text(event)));
  return { cache, told };
}

test('an event that is older than what is known of its object changes nothing', () => {
  const { cache, told } = setup();
  cache.put(object('a', 5));
  cache.put(object('a', 4));
  cache.put(object('a', 5));
  assert.deepEqual(told, ['added a@5']);
  cache.remove(object('a', 7));
  cache.put(object('a', 6));
  assert.equal(cache.size, 0);
  cache.put(object('a', 8, 'anew'));
  cache.remove(object('a', 7));
  assert.equal(cache.get({ namespace: 'n', name: 'a' })?.metadata.uid, 'anew');
  assert.deepEqual(told, ['added a@5', 'deleted a@7', 'added a@8']);
});

test('a list replaces what is known of its namespace, and an object made anew was deleted before', () => {
  const { cache, told } = setup();
  for (const known of [object('a', 1), object('b', 2), object('c', 3), object('z', 4, 'z', 'other')])
    cache.put(known);
  told.length = 0;
  cache.replace('n', [object('a', 1), object('b', 6), object('c', 7, 'anew')]);
  assert.deepEqual(told, ['modified b@6', 'deleted c@3', 'added c@7']);
  assert.equal(cache.list('other').length, 1);
  cache.replace(undefined, []);
  assert.equal(cache.size, 0);
});

test('a handler that throws hides nothing from the others', () => {
  const failures: string[] = [];
  const cache = new ObjectCache<KubeObject>({
    log: { ...silentLog, error: (_, message) => void failures.push(message) },
  });
  const told: string[] = [];
  cache.onEvent(() => {
    throw new Error('a bug');
  });
  cache.onEvent(({ type }) => void told.push(type));
  cache.put(object('a', 1));
  cache.put(object('a', 2));
  assert.deepEqual(told, ['added', 'modified']);
  assert.equal(failures.length, 2);
});

test('a handler that comes late hears of what is there, and one that left of nothing', () => {
  const { cache, told } = setup();
  cache.put(object('a', 1));
  const late: string[] = [];
  const leave = cache.onEvent(({ type }) => void late.push(type));
  cache.resync();
  leave();
  cache.resync();
  assert.deepEqual(late, ['added', 'resync']);
  assert.deepEqual(told, ['added a@1', 'resync a@1', 'resync a@1']);
});

test('events in any order end in the newest state of each object', () => {
  // Each object's life: versions of its own, the last of them perhaps a deletion.
  const life = fc.record({ updates: fc.integer({ min: 1, max: 6 }), isDeleted: fc.boolean() });
  const lives = fc.array(life, { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(lives, fc.infiniteStream(fc.nat()), (objects, orders) => {
      const { cache } = setup();
      const events = objects.flatMap(({ updates, isDeleted }, at) =>
        Array.from({ length: updates }, (_, version) => ({
          ...{ object: object(`o${at}`, 1 + version * objects.length + at) },
          isDeletion: isDeleted && version === updates - 1,
        })),
      );
      const shuffled = events
        .map((event) => ({ event, order: orders.next().value }))
        .sort((a, b) => a.order - b.order);
      for (const { event } of shuffled)
        if (event.isDeletion) cache.remove(event.object);
        else cache.put(event.object);
      const wanted = objects.flatMap(({ updates, isDeleted }, at) =>
        isDeleted ? [] : [`o${at}@${1 + (updates - 1) * objects.length + at}`],
      );
      const found = cache.list().map(({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`);
      assert.deepEqual(found.toSorted(), wanted.toSorted());
    }),
  );
});
