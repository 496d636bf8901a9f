import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toEpoch } from '../core/topology/types.ts';
import { laneOfMessage, laneOfReply, laneOfRequest } from './lanes.ts';

const batch = new Uint8Array(0);
const explain = {
  to: 1,
  type: 'explain',
  partition: 1,
  epoch: toEpoch(1),
  namespaceId: 1,
  key: batch,
} as const;

test('requests for keys wait behind consensus, and scans and comparisons behind requests for keys', () => {
  assert.equal(laneOfMessage({ type: 'replica', batch }), 'normal');
  assert.equal(laneOfRequest({ type: 'who' }), 'normal');
  assert.equal(laneOfRequest({ type: 'data', request: explain }), 'normal');
  assert.equal(laneOfRequest({ type: 'data', request: { to: 1, type: 'roots', partitions: [] } }), 'bulk');
  assert.equal(laneOfReply({ type: 'data', reply: { type: 'leaves', entries: [], done: true } }), 'bulk');
  const refused = { type: 'data-refused', code: 'NOT_OWNER', message: '', epoch: toEpoch(0) } as const;
  assert.equal(laneOfReply({ type: 'data', reply: refused }), 'normal');
});
