import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settle } from '../io/settle.ts';
import { SimClock } from '../sim/sim-clock.ts';
import { Healer } from './healer.ts';

const KEY = new Uint8Array([1]);

test('a damaged record is tried until it is healed, ever more seldom, and holds up no other', async () => {
  const clock = new SimClock();
  const tried: [number, number][] = [];
  let isHealable = false;
  const healer = new Healer({
    clock,
    async heal(namespaceId) {
      tried.push([clock.monotonicMs(), namespaceId]);
      return namespaceId === 9 || isHealable;
    },
  });
  healer.start();
  for (let namespaceId = 1; namespaceId <= 4; namespaceId++) healer.found(namespaceId, KEY);
  await settle();
  healer.found(9, KEY);
  await settle();
  assert.deepEqual(tried.at(-1), [0, 9]);
  for (let second = 0; second < 300; second++) {
    clock.advance(1000);
    await settle();
  }
  const ofFirst = tried.filter(([, id]) => id === 1).map(([ms]) => ms / 1000);
  assert.deepEqual(ofFirst, [0, 1, 3, 7, 15, 31, 63, 123, 183, 243]);
  isHealable = true;
  clock.advance(60_000);
  await settle();
  const attempts = tried.length;
  clock.advance(600_000);
  await settle();
  assert.equal(tried.length, attempts);
  await healer.stop();
});
