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

test('openEngine stays with the engine that a directory was created with', async () => {
  const location = await mkdtemp(join(tmpdir(), 'kvorum-open-'));
  const deps = { clock: new SimClock(), random: createSimRandom(1) };
  const options = { ...ENGINE_DEFAULTS, location };
  await (await openEngine('leveldb', options, deps)).engine.close();
  await assert.rejects(
    openEngine('rocksdb', options, deps),
    /holds a leveldb store.*set storage\.engine to leveldb/,
  );
  const { engine } = await openEngine('auto', options, deps);
  assert.equal(engine.name, 'leveldb');
  await engine.close();
  await rm(location, { recursive: true, force: true });
});
