import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
/** Positions behind the command's name in /proc/PID/stat (proc(5)). */
const UTIME = 11;
const STIME = 12;

/** Seconds of CPU that a process has had, of its main thread and of the others. */
export type CpuTime = { readonly mainSeconds: number; readonly otherSeconds: number };

/** Linux only. */
export function cpuTimeOf(pid: number): CpuTime {
  const mainSeconds = secondsIn(`/proc/${pid}/task/${pid}/stat`);
  let allSeconds = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      allSeconds += secondsIn(`/proc/${pid}/task/${thread}/stat`);
    } catch (error) {
      // The thread has ended since the directory was read.
      if (!['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  }
  return { mainSeconds, otherSeconds: allSeconds - mainSeconds };
}

function secondsIn(stat: string): number {
  const text = readFileSync(stat, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[UTIME]) + Number(fields[STIME])) / TICKS_PER_SECOND;
}
