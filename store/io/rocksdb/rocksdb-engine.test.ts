import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { describeEngine } from '../../storage/engine-conformance.ts';
import { whyRocksdbIsUnavailable } from './binding.ts';
import { RocksdbEngine } from './rocksdb-engine.ts';

const OPTIONS = {
  cacheBytes: 8 * 2 ** 20,
  memtableBytes: 16 * 2 ** 20,
  writeGroupBytesMax: 2 ** 20,
  readGroupKeysMax: 256,
  readGroupBytesMax: 2 ** 20,
  backgroundThreads: 2,
};

const unavailable = whyRocksdbIsUnavailable();
if (unavailable !== undefined) test('RocksdbEngine', { skip: unavailable });
else
  describeEngine('RocksdbEngine', async () => {
    const location = await mkdtemp(join(tmpdir(), 'kvorum-rocksdb-'));
    return {
      open: (onCommit) =>
        RocksdbEngine.open({ ...OPTIONS, location }, onCommit === undefined ? {} : { onCommit }),
      destroy: () => rm(location, { recursive: true, force: true }),
    };
  });

/** Reads of a damaged block through the package's asynchronous call end the process instead. */
test('RocksdbEngine: a damaged block fails the reads of its keys and nothing else', {
  skip: unavailable ?? false,
}, async () => {
  const location = await mkdtemp(join(tmpdir(), 'kvorum-rocksdb-'));
  const options = { ...OPTIONS, memtableBytes: 2 ** 20, location };
  const key = (i: number): Uint8Array => Buffer.from(String(i).padStart(8, '0'));
  const first = await RocksdbEngine.open(options, {});
  const value = new Uint8Array(1_000).map((_, i) => (i * 7919) >> 3);
  for (let i = 0; i < 5_000; i++) void first.write([{ type: 'put', key: key(i), value }], { sync: true });
  await first.close();
  await (await RocksdbEngine.open(options, {})).close(); // recovery flushes the log into tables
  for (const table of (await readdir(location)).filter((file) => file.endsWith('.sst'))) {
    const content = await readFile(join(location, table));
    content.fill(0x55, 100, Math.min(200, content.length));
    await writeFile(join(location, table), content);
  }
  const engine = await RocksdbEngine.open(options, {});
  try {
    const reads = Array.from({ length: 5_000 }, (_, i) => engine.get(key(i)));
    const failed = (await Promise.allSettled(reads)).filter((result) => result.status === 'rejected').length;
    assert.ok(failed > 0 && failed < 5_000, `${failed} reads failed`);
    const range = { start: key(0), end: key(5_000) };
    await assert.rejects(engine.readEntries(range, 2 ** 30), { code: 'LEVEL_CORRUPTION' });
    await assert.rejects(engine.readEntries(range, 2 ** 30), { code: 'LEVEL_CORRUPTION' });
  } finally {
    await engine.close();
  }
  await rm(location, { recursive: true, force: true });
});
