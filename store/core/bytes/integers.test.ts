import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readUint16, readUint32, writeUint16, writeUint32 } from './integers.ts';

test('integers lie as DataView lays them, the highest byte first, and come back', () => {
  fc.assert(
    fc.property(fc.nat(0xffff), fc.nat(0xffff_ffff), fc.nat(3), (short, long, offset) => {
      const bytes = new Uint8Array(10);
      const wanted = new DataView(new ArrayBuffer(10));
      writeUint16(short, bytes, offset);
      writeUint32(long, bytes, offset + 2);
      wanted.setUint16(offset, short);
      wanted.setUint32(offset + 2, long);
      assert.deepEqual(bytes, new Uint8Array(wanted.buffer));
      assert.deepEqual([readUint16(bytes, offset), readUint32(bytes, offset + 2)], [short, long]);
    }),
  );
});
