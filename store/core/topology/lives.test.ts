import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { mayFollow, nextLife } from './lives.ts';
import type { Incarnation } from './types.ts';

const hex8 = fc.integer({ min: 0, max: 0xffff_ffff }).map((value) => value.toString(16).padStart(8, '0'));
const lives = (drawn: readonly string[], from: Incarnation): Incarnation =>
  drawn.reduce((last, id) => ({ incarnation: last.incarnation + 1, life: nextLife(id, last.life) }), from);
const NONE: Incarnation = { incarnation: 0, life: '' };
const ids = (minLength: number, maxLength: number) => fc.uniqueArray(hex8, { minLength, maxLength });

test('a start follows every earlier one of its directory, however many were not registered', () => {
  fc.assert(
    fc.property(ids(2, 40), fc.nat(), (drawn, cut) => {
      const seen = 1 + (cut % (drawn.length - 1));
      const known = lives(drawn.slice(0, seen), NONE);
      assert.ok(mayFollow(lives(drawn.slice(seen), known), known));
    }),
  );
});

test('G7: an older copy does not follow a life that it does not know, though its count is higher', () => {
  fc.assert(
    fc.property(ids(1, 5), ids(1, 5), ids(1, 10), (before, after, copies) => {
      const old = lives(before, NONE);
      const known = lives(after, old);
      const copy = lives(copies, old);
      fc.pre(!after.some((id) => copies.includes(id)));
      assert.equal(mayFollow(copy, known), false);
    }),
  );
});

test('a life is of bounded size, and what is older than it holds cannot be told', () => {
  const drawn = Array.from({ length: 40 }, (_, i) => i.toString(16).padStart(8, '0'));
  const known = lives(['ffffffff'], NONE);
  const late = lives(drawn, known);
  assert.equal(late.life.length, 128);
  assert.ok(mayFollow(late, known));
  assert.ok(mayFollow({ incarnation: 2, life: 'of another form' }, known));
  assert.ok(mayFollow(known, NONE));
  assert.equal(mayFollow(known, known), false);
});
