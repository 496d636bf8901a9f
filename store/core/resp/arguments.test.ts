import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lowerName, printable, wholeNumber } from './arguments.ts';
import { COMMAND_SPECS, fitsArity, keyPlaces, NEEDS_LINEARIZABLE } from './command-spec.ts';

test('wholeNumber takes what Redis takes for a number, and nothing else', () => {
  const number = (text: string) => wholeNumber(Buffer.from(text));
  assert.equal(number('0'), 0);
  assert.equal(number('-7'), -7);
  assert.equal(number('9223372036854775807'), 2 ** 63);
  for (const text of [
    '',
    '-',
    '+1',
    '01',
    '-0',
    ' 1',
    '1 ',
    '1.5',
    '1e3',
    '0x10',
    '9223372036854775808',
    'ab',
  ])
    assert.equal(number(text), undefined, text);
});

test('lowerName folds ASCII only', () => {
  assert.equal(lowerName(Buffer.from('SeT')), 'set');
  assert.equal(lowerName(Buffer.from([0xc0, 0x41])), '\u00c0a');
});

test('printable breaks no line', () => {
  assert.equal(printable(Buffer.from('a\r\nb\x00é'), 6), 'a??b??');
});

test('every command has its keys where its arguments can be, and none is refused and served', () => {
  for (const spec of COMMAND_SPECS.values()) {
    const least = Math.abs(spec.arity);
    assert.ok(fitsArity(spec, least), spec.name);
    for (const place of keyPlaces(spec, least)) assert.ok(place >= 1 && place < least, spec.name);
    assert.ok(!NEEDS_LINEARIZABLE.has(spec.name), spec.name);
  }
  const spec = (name: string) => {
    const found = COMMAND_SPECS.get(name);
    assert.ok(found);
    return found;
  };
  assert.deepEqual(keyPlaces(spec('mset'), 7), [1, 3, 5]);
  assert.deepEqual(keyPlaces(spec('mget'), 4), [1, 2, 3]);
  assert.deepEqual(keyPlaces(spec('set'), 5), [1]);
});
