import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { isInsideNetwork, networkObstacle, runInNetwork } from './lib/network.ts';
import { chaos } from './soak/chaos.ts';

const EXIT_USAGE = 2;
const MINUTES_DEFAULT = 5;
const MINUTES_MAX = 24 * 60;
const SEED_MAX = 2 ** 32 - 1;

type Options = { readonly minutes: number; readonly seed: number };

/** What is wrong with the arguments, where something is. */
function readOptions(args: readonly string[]): Options | string {
  const options = { minutes: { type: 'string' }, seed: { type: 'string' } } as const;
  let values: { readonly minutes?: string | undefined; readonly seed?: string | undefined };
  try {
    ({ values } = parseArgs({ args: [...args], options }));
  } catch (error) {
    return `${(error as Error).message}. Usage: ./dev.sh chaos [--minutes M] [--seed S]`;
  }
  const minutes = Number(values.minutes ?? MINUTES_DEFAULT);
  const seed = Number(values.seed ?? Math.floor(Math.random() * SEED_MAX));
  if (!(minutes > 0 && minutes <= MINUTES_MAX))
    return `--minutes is '${values.minutes}': give a number above 0, at most ${MINUTES_MAX}`;
  if (!Number.isInteger(seed) || seed < 0 || seed > SEED_MAX)
    return `--seed is '${values.seed}': give a whole number from 0 to ${SEED_MAX}`;
  return { minutes, seed };
}

/** In a network of its own where that can be, since only there nodes can be cut off. Returns the exit code. */
async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (typeof options === 'string') {
    process.stderr.write(`chaos: ${options}\n`);
    return EXIT_USAGE;
  }
  const { minutes, seed } = options;
  const say = (text: string): void => void process.stdout.write(`chaos: ${text}\n`);
  if (!isInsideNetwork()) {
    say(
      `${minutes} minutes, seed ${seed}: --seed ${seed} draws the same faults; when they hit is of the machine`,
    );
    const obstacle = networkObstacle();
    if (obstacle === undefined) {
      const script = ['e2e/chaos.ts', '--minutes', String(minutes), '--seed', String(seed)];
      return runInNetwork(script, (line) => void process.stdout.write(`${line}\n`));
    }
    say(`without partitions: ${obstacle}`);
  }
  const directory = mkdtempSync(`${tmpdir()}/kvorum-chaos-`);
  try {
    say(await chaos({ directory, minutes, seed, progress: say }));
    return 0;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

process.exitCode = await main();
