import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { SimClock } from '../sim/sim-clock.ts';
import { createSimRandom } from '../sim/sim-random.ts';
import { ENGINE_NAMES } from '../storage/engine.ts';
import { ENGINE_DEFAULTS, openEngine } from './open-engine.ts';
import { whyRocksdbIsUnavailable } from './rocksdb/binding.ts';

const unavailable = whyRocksdbIsUnavailable();

for (const name of [...ENGINE_NAMES, 'auto'] as const)
  test(`openEngine opens ${name}`, {
    skip: name === 'rocksdb' ? (unavailable ?? false) : false,
  }, async () => {
    const location = await mkdtemp(join(tmpdir(), 'kvorum-open-'));
    const deps = { clock: new SimClock(), random: createSimRandom(1) };
    const { engine, reason } = await openEngine(name, { ...ENGINE_DEFAULTS, location }, deps);
    const usual = unavailable === undefined ? 'rocksdb' : 'leveldb';
    assert.equal(engine.name, name === 'auto' ? usual : name);
    assert.equal(reason === undefined, name !== 'auto' || unavailable === undefined);
    await engine.close();
    await rm(location, { recursive: true, force: true });
  });
