import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KvError, type KvErrorCode } from '../../storage/errors.ts';
import { errorReply } from './resp-errors.ts';

const silent = (): void => {};
const LOG = { error: silent, warn: silent, info: silent, debug: silent };

function prefixOf(code: KvErrorCode, outcome?: string): string {
  const reply = errorReply(new KvError(code, 'words', outcome === undefined ? {} : { outcome }), LOG, 'set');
  assert.ok(reply.type === 'error');
  return reply.text;
}

test('errorReply: a write that may have been done has no prefix with which clients repeat it by themselves', () => {
  for (const code of ['QUORUM_NOT_MET', 'DEADLINE_EXCEEDED', 'STORAGE_FULL', 'OVERLOADED'] as const)
    assert.equal(prefixOf(code, 'unknown'), `ERR ${code} words`);
  assert.equal(prefixOf('QUORUM_NOT_MET', 'unwritten'), 'CLUSTERDOWN QUORUM_NOT_MET words');
  assert.equal(prefixOf('QUORUM_NOT_MET'), 'CLUSTERDOWN QUORUM_NOT_MET words');
  assert.equal(prefixOf('STORAGE_FULL', 'unwritten'), 'OOM STORAGE_FULL words');
  assert.equal(prefixOf('OVERLOADED'), 'TRYAGAIN OVERLOADED words');
  assert.equal(prefixOf('STORAGE_FAILED'), 'ERR STORAGE_FAILED words');
});
