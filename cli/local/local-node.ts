import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** The i-th node of a local cluster, from 1: its ports and its files below .kvorum/. */
export type LocalNode = {
  readonly index: number;
  readonly name: string;
  readonly httpPort: number;
  readonly url: string;
  readonly peerPort: number;
  readonly peerAddress: string;
  /** For clients of Redis. */
  readonly respPort: number;
  readonly directory: string;
  readonly dataDir: string;
  readonly logFile: string;
  readonly pidFile: string;
};

/** Where all of it is. */
export const LOCAL_ROOT = '.kvorum';
export const LOCAL_NODES_MAX = 50;
const FIRST_HTTP_PORT = 7400;

/** Where 7400 is taken, the environment variable LOCAL_HTTP_PORT moves all ports of the local cluster. */
export function localNode(index: number): LocalNode {
  const httpPort = Number(process.env.LOCAL_HTTP_PORT ?? FIRST_HTTP_PORT) + 10 * (index - 1);
  const peerPort = httpPort + 1;
  const directory = `${LOCAL_ROOT}/node-${index}`;
  return {
    index,
    name: `kvorum-${index}`,
    httpPort,
    url: `http://127.0.0.1:${httpPort}`,
    peerPort,
    peerAddress: `127.0.0.1:${peerPort}`,
    respPort: httpPort + 2,
    directory,
    dataDir: `${directory}/data`,
    logFile: `${directory}/node.log`,
    pidFile: `${directory}/pid`,
  };
}

/** The nodes from the first to the last that was ever started here; a directory that is missing between them is a lost one. */
export function localNodes(): readonly LocalNode[] {
  if (!existsSync(LOCAL_ROOT)) return [];
  const indexes = readdirSync(LOCAL_ROOT).map((name) => Number(/^node-(\d+)$/.exec(name)?.[1] ?? 0));
  return nodesUpTo(Math.max(0, ...indexes));
}

export function nodesUpTo(count: number): readonly LocalNode[] {
  return Array.from({ length: count }, (_, i) => localNode(i + 1));
}

type PidRecord = { readonly pid: number; readonly startedAt: string };

export function writePid({ pidFile }: Pick<LocalNode, 'pidFile'>, pid: number): void {
  const record: PidRecord = { pid, startedAt: startTimeOf(pid) ?? '' };
  writeFileSync(pidFile, JSON.stringify(record));
}

/** The running process's pid; undefined where it ended, or where its pid was given to another process. */
export function readPid({ pidFile }: Pick<LocalNode, 'pidFile'>): number | undefined {
  let record: PidRecord;
  try {
    record = JSON.parse(readFileSync(pidFile, 'utf8')) as PidRecord;
    process.kill(record.pid, 0);
  } catch {
    return undefined;
  }
  return startTimeOf(record.pid) === record.startedAt ? record.pid : undefined;
}

/** When a process started, as the kernel tells it; undefined for a zombie, empty where there is no /proc. */
function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return '';
  }
}

/** Polls until `condition` holds; false where it did not within `deadlineMs`. */
export async function waitFor(deadlineMs: number, condition: () => Promise<boolean>): Promise<boolean> {
  const end = performance.now() + deadlineMs;
  while (performance.now() < end) {
    if (await condition()) return true;
    await sleep(25);
  }
  return condition();
}
