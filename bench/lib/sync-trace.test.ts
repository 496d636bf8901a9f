import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCall, syncTimes } from './sync-trace.ts';

const MARKS = /mark-\d/g;
const calls = (...lines: readonly string[]) => lines.flatMap(parseCall);

test('syncTimes takes the first sync of the same file that began after the write had ended', () => {
  const times = syncTimes(
    calls(
      '10.000000 write(7</d/1.log>, "..mark-1..mark-2", 16) = 16 <0.000100>',
      '10.000050 fdatasync(7</d/1.log>) = 0 <0.500000>',
      '10.000200 fdatasync(8</d/2.log>) = 0 <0.000010>',
      '10.000300 fdatasync(7</d/1.log>) = 0 <0.001000>',
      '10.000400 fdatasync(7</d/1.log>) = 0 <0.001000>',
    ),
    MARKS,
  );
  assert.deepEqual(
    [...times].map(([mark, endS]) => [mark, endS.toFixed(4)]),
    [
      ['mark-1', '10.0013'],
      ['mark-2', '10.0013'],
    ],
  );
});

test('syncTimes knows nothing of what was sent only, written only, or synced without success', () => {
  const times = syncTimes(
    calls(
      '10.000000 writev(9<socket:[77]>, [{iov_base="mark-1", iov_len=6}], 1) = 6 <0.000100>',
      '10.000000 write(7</d/1.log>, "mark-2", 6) = 6 <0.000100>',
      '10.000300 fdatasync(7</d/1.log>) = -1 EIO (Input/output error) <0.001000>',
    ),
    MARKS,
  );
  assert.equal(times.size, 0);
});
