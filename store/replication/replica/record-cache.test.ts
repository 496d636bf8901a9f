import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hashKey } from '../../core/merkle/entry-hash.ts';
import type { Held } from './held.ts';
import { KeyState } from './key-state.ts';
import { NO_FACT } from './partition-facts.ts';
import { PartitionState } from './partition-state.ts';
import { RecordCache } from './record-cache.ts';
import { OPTIONS, versionOf } from './test-replica.ts';

const MIB = 1 << 20;
const LENGTH_MAX = 16 * 1024;
const partition = new PartitionState(0, OPTIONS, NO_FACT);

function stateOf(name: string): KeyState {
  return new KeyState({ name, hashInIndex: 0, partition, hash: hashKey(1, Buffer.from(name)), leaf: 0 });
}

let versions = 0;
const newHeld = (): Held => ({ version: versionOf(++versions), isTombstone: false, expiresAtMs: undefined });
/** Every byte depends on the version. */
const bytesOf = ({ version }: Held, length: number): Buffer => Buffer.alloc(length, `${version.wallMs} `);

/** Writes a record of the key and notes it. */
function write(cache: RecordCache, state: KeyState, length: number): void {
  state.durable = newHeld();
  cache.keep(state, bytesOf(state.durable, length));
}

test('RecordCache gives the record of what is durable, or nothing, whatever went through it', () => {
  const step = fc.record({
    key: fc.nat(79),
    action: fc.constantFrom('write', 'write', 'write', 'replace unseen', 'remove', 'find'),
    length: fc.integer({ min: LENGTH_MAX - 1500, max: LENGTH_MAX + 10 }),
  });
  const check = fc.property(fc.array(step, { minLength: 400, maxLength: 800 }), (steps) => {
    const cache = new RecordCache({ bytesMax: 2 * MIB });
    const states = Array.from({ length: 80 }, (_, i) => stateOf(`${i}`));
    const lengths = new Map<KeyState, number>();
    for (const { key, action, length } of steps) {
      const state = states[key] as KeyState;
      if (action === 'write') write(cache, state, length);
      if (action === 'write') lengths.set(state, length);
      if (action === 'replace unseen') state.durable = newHeld();
      if (action === 'remove') state.durable = undefined;
      const found = cache.find(state);
      if (action === 'write') assert.equal(found !== undefined, length <= LENGTH_MAX);
      if (action === 'replace unseen' || action === 'remove') assert.equal(found, undefined);
      if (found === undefined) continue;
      assert.ok(bytesOf(state.durable as Held, lengths.get(state) as number).equals(found));
    }
  });
  // Long runs: to shrink one takes minutes.
  fc.assert(check, { numRuns: 20, endOnFailure: true });
});

test('RecordCache drops what nobody uses and keeps what is used, within its bytes', () => {
  const cache = new RecordCache({ bytesMax: 4 * MIB });
  const [used, unused] = [stateOf('used'), stateOf('unused')];
  write(cache, used, 1000);
  write(cache, unused, 1000);
  const others = Array.from({ length: 2000 }, (_, i) => stateOf(`other ${i}`));
  for (const other of others) {
    write(cache, other, 10_000);
    assert.ok(bytesOf(used.durable as Held, 1000).equals(cache.find(used) as Uint8Array));
  }
  assert.equal(cache.find(unused), undefined);
  const kept = others.filter((other) => cache.find(other) !== undefined).length;
  assert.ok(kept >= 300 && kept <= (4 * MIB) / 10_000, `${kept} are kept`);
});

test('RecordCache gives copies: what was found stays as it is', () => {
  const cache = new RecordCache({ bytesMax: MIB });
  const state = stateOf('a');
  write(cache, state, 1000);
  const found = cache.find(state) as Uint8Array;
  for (let i = 0; i < 200; i++) write(cache, stateOf(`${i}`), 10_000);
  assert.ok(bytesOf(state.durable as Held, 1000).equals(found));
});

test('RecordCache with less than a segment keeps nothing', () => {
  const cache = new RecordCache({ bytesMax: MIB - 1 });
  const state = stateOf('a');
  write(cache, state, 10);
  assert.equal(cache.find(state), undefined);
});
