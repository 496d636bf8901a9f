import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';

/** A write that names its file and what was written, or a sync of a file, as strace saw it; in seconds since 1970. */
export type TracedCall =
  | {
      readonly type: 'write';
      readonly file: string;
      readonly text: string;
      readonly startS: number;
      readonly endS: number;
    }
  | { readonly type: 'sync'; readonly file: string; readonly startS: number; readonly endS: number };

const CALLS = 'trace=write,pwrite64,writev,pwritev,pwritev2,fsync,fdatasync';
/** Of what a call writes; the log's writes of a whole group of records are longer than strace shows by itself. */
const SHOWN_BYTES = 262_144;
const ATTACH_DEADLINE_MS = 20_000;
const LINE = /^(\d+\.\d+) (\w+)\(\d+<([^>]*)>(.*)= \d+ <(\d+\.\d+)>$/;

export const hasStrace = (): boolean => spawnSync('strace', ['-V']).status === 0;

/**
 * Attaches strace to processes that run, with all their threads; `stop` lets them go and tells what each of them called, in the order of
 * the processes. A call begins and ends for strace while the process stands still, so an end is never later than what the process did next.
 */
export async function traceCalls(
  pids: readonly number[],
  directory: string,
): Promise<{ stop(): Promise<readonly (readonly TracedCall[])[]> }> {
  const tracers = pids.map((pid) => {
    const output = `${directory}/trace-${pid}`;
    const shown = ['-s', String(SHOWN_BYTES), '-e', CALLS];
    // A file for each thread: else strace tears calls of several threads apart.
    const args = ['-ff', '-y', '-ttt', '-T', '-q', ...shown, '-o', output, '-p', String(pid)];
    return spawn('strace', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  });
  const stop = async (): Promise<void> => {
    const ended = tracers.map((tracer) => (tracer.exitCode === null ? once(tracer, 'exit') : undefined));
    for (const tracer of tracers) tracer.kill('SIGINT');
    await Promise.all(ended);
  };
  try {
    await Promise.all(pids.map((pid) => isTraced(pid)));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    async stop() {
      await stop();
      return pids.map((pid) => callsIn(directory, `trace-${pid}.`));
    },
  };
}

/** Waits until all threads of a process have a tracer. */
async function isTraced(pid: number): Promise<void> {
  const deadlineMs = performance.now() + ATTACH_DEADLINE_MS;
  while (performance.now() < deadlineMs) {
    const threads = readdirSync(`/proc/${pid}/task`);
    const isAll = threads.every((thread) =>
      /TracerPid:\s+[1-9]/.test(readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8')),
    );
    if (isAll) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`strace has not attached to process ${pid} in ${ATTACH_DEADLINE_MS} ms; it takes root`);
}

function callsIn(directory: string, prefix: string): readonly TracedCall[] {
  const files = readdirSync(directory).filter((file) => file.startsWith(prefix));
  return files.flatMap((file) => readFileSync(`${directory}/${file}`, 'utf8').split('\n').flatMap(parseCall));
}

/** None where the call failed, or the line is of something else. */
export function parseCall(line: string): readonly TracedCall[] {
  const [, start = '', name = '', file = '', text = '', took = ''] = LINE.exec(line) ?? [];
  if (name === '') return [];
  const [startS, endS] = [Number(start), Number(start) + Number(took)];
  if (name === 'fsync' || name === 'fdatasync') return [{ type: 'sync', file, startS, endS }];
  return [{ type: 'write', file, text, startS, endS }];
}

/**
 * When each mark was on stable storage of a process: the first end of a sync that began after the mark was written to
 * the same file. A mark that was not synced is absent.
 */
export function syncTimes(calls: readonly TracedCall[], marks: RegExp): ReadonlyMap<string, number> {
  const syncs = Map.groupBy(
    calls.filter((call) => call.type === 'sync'),
    ({ file }) => file,
  );
  const times = new Map<string, number>();
  for (const call of calls) {
    if (call.type !== 'write') continue;
    const covering = (syncs.get(call.file) ?? []).filter(({ startS }) => startS >= call.endS);
    const endS = covering.reduce((least, sync) => Math.min(least, sync.endS), Number.POSITIVE_INFINITY);
    if (endS === Number.POSITIVE_INFINITY) continue;
    for (const [mark] of call.text.matchAll(marks))
      times.set(mark, Math.min(endS, times.get(mark) ?? Number.POSITIVE_INFINITY));
  }
  return times;
}
