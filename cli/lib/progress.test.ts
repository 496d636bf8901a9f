import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatBytes, formatDuration, Progress, progressLine } from './progress.ts';

const HALF = { noun: 'records', count: 5_000, bytes: 1_000_000, bytesTotal: 2_000_000, elapsedMs: 2_000 };

test('progressLine shows count, share, rates and the time that is left', () => {
  assert.equal(
    progressLine(HALF, { withBar: true }),
    '[############............] 5,000 records  50%  2,500/s  500.0 kB/s  ETA 0:02',
  );
  assert.equal(
    progressLine({ ...HALF, bytesTotal: undefined }, { withBar: true }),
    '5,000 records  2,500/s  500.0 kB/s',
  );
});

test('progressLine keeps what an earlier run did out of the rate', () => {
  const line = progressLine({ ...HALF, countBefore: 4_000, bytesBefore: 800_000 }, { withBar: false });
  assert.equal(line, '5,000 records  50%  500/s  100.0 kB/s  ETA 0:10');
});

test('formatDuration and formatBytes choose their units', () => {
  assert.deepEqual([0, 61.2, 3723].map(formatDuration), ['0:00', '1:02', '1:02:03']);
  assert.deepEqual([0, 999, 1000, 2_500_000].map(formatBytes), ['0 B', '999 B', '1.0 kB', '2.5 MB']);
});

test('Progress redraws on a terminal and writes a line every two seconds elsewhere', () => {
  const written: string[] = [];
  let nowMs = 0;
  for (const isTTY of [true, false]) {
    nowMs = 0;
    const sink = { isTTY, columns: 30, write: (text: string) => written.push(text) };
    const progress = new Progress(sink, () => nowMs);
    for (; nowMs <= 2_000; nowMs += 1_000) progress.update(HALF);
    progress.clear();
  }
  assert.deepEqual(written, [
    '\r\u001b[2K[############............] 5,',
    '\r\u001b[2K[############............] 5,',
    '\r\u001b[2K',
    '5,000 records  50%  2,500/s  500.0 kB/s  ETA 0:02\n',
  ]);
});
