import { mkdtemp, rm } from 'node:fs/promises';
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
