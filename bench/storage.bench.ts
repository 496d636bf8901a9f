import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { resolveConfig } from '../store/config/resolve-config.ts';
import { defer } from '../store/io/defer.ts';
import { loadRocksBinding } from '../store/io/rocksdb/binding.ts';
import { openDatabase, RocksdbEngine, type RocksdbOptions } from '../store/io/rocksdb/rocksdb-engine.ts';
import { systemClock } from '../store/io/system-clock.ts';
import { systemRandom } from '../store/io/system-random.ts';
import { startNode } from '../store/node/start-node.ts';
import { createIsolatedTransport } from '../store/ports/isolated-transport.ts';
import { BareRocksdb } from './lib/bare-rocksdb.ts';
import { type Figure, median, report, round, spread } from './lib/report.ts';

/**
 * `./dev.sh bench storage`: durable puts of 256 bytes through the whole store of a node (version, record, checksum,
 * group commit) beside the bare package with the same group commit, in one process, alternating.
 */
const { values: flags } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, seconds: { type: 'string', default: '2' } },
});
const WRITERS = [1, 64, 256];
const VALUE = Buffer.alloc(256, 7);
const { config } = resolveConfig({ environment: {}, flags: [] });

type Put = (key: Buffer) => Promise<unknown>;
type Store = { readonly put: Put; close(): Promise<void> };

/** Puts a second by `writers` loops over `seconds`. */
async function measure(put: Put, writers: number, seconds: number): Promise<number> {
  let done = 0;
  const startMs = performance.now();
  const endMs = startMs + seconds * 1000;
  const loop = async (writer: number): Promise<void> => {
    for (let i = 0; performance.now() < endMs; i++) {
      await put(Buffer.from(`writer-${writer}/key-${i}`));
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: writers }, (_, writer) => loop(writer)));
  return done / ((performance.now() - startMs) / 1000);
}

function rocksOptions(location: string): RocksdbOptions {
  return {
    location,
    cacheBytes: config['storage.cacheBytes'],
    memtableBytes: config['storage.memtableBytes'],
    writeGroupBytesMax: config['storage.writeGroupBytesMax'],
    readGroupKeysMax: 256,
    readGroupBytesMax: 8 << 20,
    backgroundThreads: 2,
  };
}

async function openNode(directory: string): Promise<Store> {
  const engine = await RocksdbEngine.open(rocksOptions(directory), {});
  const ports = {
    clock: systemClock,
    random: systemRandom,
    transport: createIsolatedTransport(),
    resolver: { resolve: async () => [] },
    engine,
    defer,
  };
  const settings = { ...config, 'cluster.bootstrap': true, 'cluster.replicationFactor': 1 };
  const node = await startNode(settings, ports, {
    onStorageFailed: fail,
    onConsensusFailed: fail,
    onBackgroundError: fail,
    onReaped() {},
    onNotice() {},
    onRefused() {},
    onProposed() {},
    onPhase() {},
  });
  return { put: (key) => node.store.put('default', key, { value: VALUE }), close: () => node.stop() };
}

async function openEngine(directory: string): Promise<Store> {
  const engine = await RocksdbEngine.open(rocksOptions(directory), {});
  const put = (key: Buffer): Promise<void> =>
    engine.write([{ type: 'put', key, value: VALUE }], { sync: true });
  return { put, close: () => engine.close() };
}

/** The same database options, opened by the engine, and then only the package. */
async function openBare(directory: string): Promise<Store> {
  const binding = loadRocksBinding();
  const database = await openDatabase(binding, rocksOptions(directory));
  const bare = new BareRocksdb(binding.db_get_handle(database));
  return {
    put: (key) => bare.put(key, VALUE),
    async close() {
      await bare.close();
      await new Promise((resolve) => binding.db_close(database, resolve));
    },
  };
}

function fail(error: unknown): never {
  throw error;
}

async function once(open: (directory: string) => Promise<Store>, writers: number): Promise<number> {
  const directory = mkdtempSync(`${tmpdir()}/kvorum-bench-`);
  const store = await open(directory);
  try {
    await measure(store.put, writers, 0.3);
    return await measure(store.put, writers, Number(flags.seconds));
  } finally {
    await store.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

const CONTENDERS = { store: openNode, engine: openEngine, bare: openBare };
type Contender = keyof typeof CONTENDERS;
const NAMES = Object.keys(CONTENDERS) as Contender[];

const results: Record<string, Figure> = {};
const ratios: Record<string, number> = {};
process.stdout.write(
  `durable puts of 256 bytes a second, RocksDB, ${flags.rounds} rounds of ${flags.seconds} s, median (least-greatest)\n` +
    'store: a put through the whole node; engine: through the engine port alone; bare: the package alone\n' +
    `writers   ${NAMES.map((name) => name.padEnd(27)).join(' ')} store/bare  engine/bare\n`,
);
for (const writers of WRITERS) {
  const samples: Record<Contender, number[]> = { store: [], engine: [], bare: [] };
  for (let i = 0; i < Number(flags.rounds); i++) {
    for (const name of NAMES) samples[name].push(await once(CONTENDERS[name], writers));
  }
  const ratioOf = (name: Contender): number =>
    round(median(samples[name].map((value, i) => value / (samples.bare[i] as number))));
  for (const name of NAMES)
    results[`${name}_puts_${writers}`] = { value: Math.round(median(samples[name])), unit: '1/s' };
  ratios[`store_puts_${writers}`] = ratioOf('store');
  ratios[`engine_puts_${writers}`] = ratioOf('engine');
  const figures = NAMES.map((name) => spread(samples[name]).padEnd(27)).join(' ');
  process.stdout.write(
    `${String(writers).padEnd(9)} ${figures} ${String(ratioOf('store')).padEnd(11)} ${ratioOf('engine')}\n`,
  );
}
report('storage', results, ratios);
