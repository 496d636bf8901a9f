import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasSpace, whyNoSpace } from './space.ts';

test('what arrives needs its size twice, beside the reserve', () => {
  const asked = { reserveBytes: 100, arrivingBytes: 50 };
  assert.equal(hasSpace({ ...asked, freeBytes: 200 }), true);
  assert.equal(hasSpace({ ...asked, freeBytes: 199 }), false);
  assert.equal(hasSpace({ ...asked, freeBytes: undefined }), true);
});

test('a refusal says what there is and what is needed', () => {
  const asked = { reserveBytes: 100, arrivingBytes: 50, freeBytes: 199 };
  assert.match(whyNoSpace(asked) ?? '', /199 bytes free, and 200 are needed/);
  assert.equal(whyNoSpace({ ...asked, freeBytes: 200 }), undefined);
});
