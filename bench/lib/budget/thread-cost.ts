import { readdirSync, readFileSync } from 'node:fs';

/** What a thread of a process has had since its start. */
export type ThreadCost = {
  readonly userSeconds: number;
  readonly systemSeconds: number;
  /** Calls of the read and of the write family; sockets, files and wake-ups of the event loop are among them. */
  readonly reads: number;
  readonly writes: number;
  /** Times that it waited for something. */
  readonly waits: number;
};

/** By the name of the threads; those of one name are added up. */
export type ProcessCost = ReadonlyMap<string, ThreadCost>;

export const NO_COST: ThreadCost = { userSeconds: 0, systemSeconds: 0, reads: 0, writes: 0, waits: 0 };

/** Of Linux: the unit of the times in /proc/PID/stat, a second's part. */
const TICKS_PER_SECOND = 100;
const FAMILIES: readonly (readonly [start: string, name: string])[] = [
  ['node-MainThread', 'main'],
  ['node-V8Worker', 'v8 workers'],
  ['libuv-worker', 'libuv pool'],
  ['WorkerThread', 'storage threads'],
  ['rocksdb', 'RocksDB'],
];

/** Linux only. A thread that has ended meanwhile counts no more. */
export function processCost(pid: number): ProcessCost {
  const costs = new Map<string, ThreadCost>();
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const directory = `/proc/${pid}/task/${thread}`;
    try {
      const name = familyOf(readFileSync(`${directory}/comm`, 'utf8').trim(), thread === String(pid));
      costs.set(name, add(costs.get(name) ?? NO_COST, threadCost(directory)));
    } catch (error) {
      if (!['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  }
  return costs;
}

export const add = (a: ThreadCost, b: ThreadCost): ThreadCost => combine(a, b, 1);
export const subtract = (a: ThreadCost, b: ThreadCost): ThreadCost => combine(a, b, -1);
export const cpuOf = ({ userSeconds, systemSeconds }: ThreadCost): number => userSeconds + systemSeconds;

/** What each family of threads of all the processes has had between two looks at them. */
export function spent(before: readonly ProcessCost[], after: readonly ProcessCost[]): ProcessCost {
  const total = new Map<string, ThreadCost>();
  for (const [i, costs] of after.entries())
    for (const [name, cost] of costs) {
      const grown = subtract(cost, before[i]?.get(name) ?? NO_COST);
      total.set(name, add(total.get(name) ?? NO_COST, grown));
    }
  return total;
}

/** Seconds that the cores of this machine have worked since it started; time taken by its host is not among them. */
export function machineSeconds(): number {
  const [, user, nice, system, , , irq, softirq] = (
    readFileSync('/proc/stat', 'utf8').split('\n', 1)[0] ?? ''
  )
    .split(/\s+/)
    .map(Number);
  return sumOf([user, nice, system, irq, softirq]) / TICKS_PER_SECOND;
}

const sumOf = (values: readonly (number | undefined)[]): number =>
  values.reduce<number>((sum, value = 0) => sum + value, 0);

function threadCost(directory: string): ThreadCost {
  const stat = readFileSync(`${directory}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const io = readFileSync(`${directory}/io`, 'utf8');
  const status = readFileSync(`${directory}/status`, 'utf8');
  return {
    userSeconds: Number(fields[11]) / TICKS_PER_SECOND,
    systemSeconds: Number(fields[12]) / TICKS_PER_SECOND,
    reads: numberIn(io, /syscr: (\d+)/),
    writes: numberIn(io, /syscw: (\d+)/),
    waits: numberIn(status, /^voluntary_ctxt_switches:\s+(\d+)/m),
  };
}

const numberIn = (text: string, pattern: RegExp): number => Number(pattern.exec(text)?.[1] ?? 0);

function familyOf(comm: string, isFirst: boolean): string {
  if (isFirst) return 'main';
  return FAMILIES.find(([start]) => comm.startsWith(start))?.[1] ?? 'others';
}

function combine(a: ThreadCost, b: ThreadCost, sign: 1 | -1): ThreadCost {
  return {
    userSeconds: a.userSeconds + sign * b.userSeconds,
    systemSeconds: a.systemSeconds + sign * b.systemSeconds,
    reads: a.reads + sign * b.reads,
    writes: a.writes + sign * b.writes,
    waits: a.waits + sign * b.waits,
  };
}
