import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compareBytes } from '../bytes/bytes.ts';
import {
  COUNTER_MAX,
  compareVersions,
  formatVersion,
  MEMBER_MAX,
  parseVersion,
  readVersion,
  VERSION_BYTES,
  type Version,
  WALL_MS_MAX,
  writeVersion,
} from './version.ts';

const version: fc.Arbitrary<Version> = fc.record(
  {
    wallMs: fc.integer({ min: 0, max: WALL_MS_MAX }),
    counter: fc.integer({ min: 0, max: COUNTER_MAX }),
    member: fc.integer({ min: 0, max: MEMBER_MAX }),
  },
  { noNullPrototype: true },
);

function encode(value: Version): Uint8Array {
  const bytes = new Uint8Array(VERSION_BYTES);
  writeVersion(value, bytes, 0);
  return bytes;
}

test('a version survives its binary and its text form', () => {
  fc.assert(
    fc.property(version, (value) => {
      assert.deepEqual(readVersion(encode(value), 0), value);
      assert.deepEqual(parseVersion(formatVersion(value)), value);
    }),
  );
});

test('encoded versions sort as versions do', () => {
  fc.assert(
    fc.property(version, version, (a, b) => {
      assert.equal(Math.sign(compareBytes(encode(a), encode(b))), Math.sign(compareVersions(a, b)));
    }),
  );
});

test('parseVersion refuses what is no version', () => {
  for (const text of [
    '',
    '1',
    'x19aa1b2c3d4-0000-1',
    '019aa1b2c3d4-0000-',
    '019aa1b2c3d4-0000-01',
    '019aa1b2c3d4-0000-4294967296',
    '019AA1B2C3D4-0000-1',
  ]) {
    assert.equal(parseVersion(text), undefined, text);
  }
});
