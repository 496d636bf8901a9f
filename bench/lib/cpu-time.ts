import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

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

const QUIET_SECONDS = 2;
/** Of one core; heartbeats and gossip of a node take a hundredth of it. */
const QUIET_SHARE = 0.1;

/** Waits until `pids` together have used little of the processor for some seconds: what they had left to do, such as compaction, is done. */
export async function untilQuiet(pids: readonly number[], secondsMax: number): Promise<void> {
  const used = (): number =>
    pids.map(cpuTimeOf).reduce((sum, { mainSeconds, otherSeconds }) => sum + mainSeconds + otherSeconds, 0);
  const untilMs = performance.now() + secondsMax * 1000;
  for (let before = used(); ; ) {
    await sleep(QUIET_SECONDS * 1000);
    const now = used();
    if (now - before < QUIET_SHARE * QUIET_SECONDS) return;
    if (performance.now() > untilMs) throw new Error(`the processes are still at work after ${secondsMax} s`);
    before = now;
  }
}

function secondsIn(stat: string): number {
  const text = readFileSync(stat, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[UTIME]) + Number(fields[STIME])) / TICKS_PER_SECOND;
}
