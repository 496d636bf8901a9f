import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { clockSoak } from './soak/clock.ts';
import { dataSoak } from './soak/data.ts';
import { DATA_FAULTS, type DataFaultName } from './soak/data-faults.ts';
import { elasticSoak } from './soak/elastic.ts';
import { fullDiskSoak } from './soak/full-disk.ts';
import { killSoak } from './soak/kill.ts';
import { handoverSoak, leaderSoak } from './soak/leader.ts';
import { mixedSoak } from './soak/mixed.ts';
import { partitionSoak } from './soak/partition.ts';
import { pauseSoak } from './soak/pause.ts';
import { restartSoak } from './soak/restart.ts';
import type { Soak } from './soak/soak.ts';

type SoakEntry = { readonly soak: Soak; readonly engines: readonly string[]; readonly rounds: number };
const ENGINES = ['rocksdb', 'leveldb'];
const ONE_ENGINE = ['rocksdb'];

/** `data` has all faults of replicated data in turn, `data-kill` and so on one of them alone. */
function dataSoaks(): Readonly<Record<string, SoakEntry>> {
  const names = Object.keys(DATA_FAULTS) as DataFaultName[];
  const alone = names.map((name): [string, SoakEntry] => {
    const soak = dataSoak(`data-${name}`, [name]);
    return [`data-${name}`, { soak, engines: ONE_ENGINE, rounds: 10 }];
  });
  const all = { soak: dataSoak('data', names), engines: ENGINES, rounds: 3 * names.length };
  return { data: all, ...Object.fromEntries(alone) };
}

/** `./dev.sh soak [NAME...] [--engine NAME] [--rounds N] [--keys N]`: fault runs against real processes. */
const SOAKS: Readonly<Record<string, SoakEntry>> = {
  kill: { soak: killSoak, engines: ENGINES, rounds: 20 },
  full: { soak: fullDiskSoak, engines: ENGINES, rounds: 20 },
  clock: { soak: clockSoak, engines: ENGINES, rounds: 20 },
  leader: { soak: leaderSoak, engines: ONE_ENGINE, rounds: 50 },
  handover: { soak: handoverSoak, engines: ONE_ENGINE, rounds: 20 },
  pause: { soak: pauseSoak, engines: ONE_ENGINE, rounds: 5 },
  partition: { soak: partitionSoak, engines: ONE_ENGINE, rounds: 10 },
  mixed: { soak: mixedSoak, engines: ONE_ENGINE, rounds: 30 },
  restart: { soak: restartSoak, engines: ONE_ENGINE, rounds: 10 },
  ...dataSoaks(),
  elastic: { soak: elasticSoak, engines: ONE_ENGINE, rounds: 1 },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string' },
    engine: { type: 'string' },
    writers: { type: 'string', default: '64' },
    keys: { type: 'string' },
  },
});
if (values.keys !== undefined && !/^[1-9]\d{2,6}$/.test(values.keys)) {
  process.stderr.write(`--keys is '${values.keys}': give a whole number from 100 to 9999999\n`);
  process.exit(2);
}
// `data` has what each of data-* has.
const names =
  positionals.length > 0 ? positionals : Object.keys(SOAKS).filter((name) => !name.startsWith('data-'));
const unknown = names.find((name) => !Object.hasOwn(SOAKS, name));
if (unknown !== undefined) {
  process.stderr.write(`there is no soak '${unknown}': ${Object.keys(SOAKS).join(', ')}\n`);
  process.exit(2);
}

for (const name of names) {
  const { soak, engines, rounds } = SOAKS[name] as SoakEntry;
  for (const engine of values.engine === undefined ? engines : [values.engine]) {
    const directory = mkdtempSync(`${tmpdir()}/kvorum-soak-`);
    const startedAt = performance.now();
    try {
      const summary = await soak({
        directory,
        engine,
        rounds: values.rounds === undefined ? rounds : Number(values.rounds),
        writers: Number(values.writers),
        ...(values.keys !== undefined && { keys: Number(values.keys) }),
        progress: (text) => process.stdout.write(`${name} ${engine}: ${text}\n`),
      });
      process.stdout.write(
        `${name} ${engine}: ${summary} (${Math.round((performance.now() - startedAt) / 1000)} s)\n`,
      );
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  }
}
process.stdout.write('everything acknowledged was there after every round\n');
