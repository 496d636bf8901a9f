import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseKeyTemplate } from './key-template.ts';

test('parseKeyTemplate fills fields, nested fields and doubled braces', () => {
  const template = parseKeyTemplate('{{{country}}}/{place.name}/{lat},{lng}');
  const record = { country: 'AD', place: { name: 'Vila' }, lat: 42.5, lng: '1.5' };
  assert.deepEqual(template(record), { key: '{AD}/Vila/42.5,1.5' });
});

test('parseKeyTemplate takes a bare column name', () => {
  assert.deepEqual(parseKeyTemplate('id')({ id: 7 }), { key: '7' });
});

test('parseKeyTemplate names the field that a record lacks', () => {
  assert.deepEqual(parseKeyTemplate('{a}/{b}')({ a: 'x', b: null }), { missing: 'b' });
  assert.deepEqual(parseKeyTemplate('toString')({}), { missing: 'toString' });
});

test('parseKeyTemplate refuses a lone brace', () => {
  assert.throws(() => parseKeyTemplate('{a'), /lone \{; write \{column\}/);
});
