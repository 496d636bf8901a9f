import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { clockSoak } from './soak/clock.ts';
import { fullDiskSoak } from './soak/full-disk.ts';
import { killSoak } from './soak/kill.ts';
import type { Soak } from './soak/soak.ts';

/** `./dev.sh soak [kill|full|clock] [--engine NAME] [--rounds N]`: fault runs against real processes. */
const SOAKS: Readonly<Record<string, Soak>> = { kill: killSoak, full: fullDiskSoak, clock: clockSoak };
const ENGINES = ['rocksdb', 'leveldb'];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '20' },
    engine: { type: 'string' },
    writers: { type: 'string', default: '64' },
  },
});
const names = positionals.length > 0 ? positionals : Object.keys(SOAKS);
const unknown = names.find((name) => !Object.hasOwn(SOAKS, name));
if (unknown !== undefined) {
  process.stderr.write(`there is no soak '${unknown}': ${Object.keys(SOAKS).join(', ')}\n`);
  process.exit(2);
}

for (const name of names) {
  for (const engine of values.engine === undefined ? ENGINES : [values.engine]) {
    const directory = mkdtempSync(`${tmpdir()}/kvorum-soak-`);
    const startedAt = performance.now();
    try {
      const summary = await (SOAKS[name] as Soak)({
        directory,
        engine,
        rounds: Number(values.rounds),
        writers: Number(values.writers),
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
process.stdout.write('every acknowledged write was there after every round\n');
