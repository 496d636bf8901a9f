import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeEngine } from '../../storage/engine-conformance.ts';
import { LeveldbEngine } from './leveldb-engine.ts';

const OPTIONS = { cacheBytes: 8 * 2 ** 20, memtableBytes: 4 * 2 ** 20, writeGroupBytesMax: 2 ** 20 };

describeEngine('LeveldbEngine', async () => {
  const location = await mkdtemp(join(tmpdir(), 'kvorum-leveldb-'));
  return {
    open: (onCommit) =>
      LeveldbEngine.open({ ...OPTIONS, location }, onCommit === undefined ? {} : { onCommit }),
    destroy: () => rm(location, { recursive: true, force: true }),
  };
});
