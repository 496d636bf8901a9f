import { rmSync } from 'node:fs';
import { LOCAL_ROOT, readPid, waitFor, writePid } from './local-node.ts';

const FILE = { pidFile: `${LOCAL_ROOT}/scale.pid` };
/** Longer than a node may take to stop, which is the longest that a run cannot be interrupted. */
const TAKE_OVER_MS = 30_000;

/** One run of `scale` at a time: the latest. The one before notices that it is not the latest any more, and ends. */
export class Turn implements Disposable {
  private constructor() {}

  /** Waits until the run before has ended; undefined where it does not. */
  static async take(): Promise<Turn | undefined> {
    const before = readPid(FILE);
    writePid(FILE, process.pid);
    if (before === undefined || before === process.pid) return new Turn();
    process.stderr.write(`taking over from the ./dev.sh scale that runs (pid ${before})\n`);
    const hasEnded = await waitFor(TAKE_OVER_MS, async () => {
      try {
        process.kill(before, 0);
        return false;
      } catch {
        return true;
      }
    });
    return hasEnded ? new Turn() : undefined;
  }

  get isMine(): boolean {
    return readPid(FILE) === process.pid;
  }

  [Symbol.dispose](): void {
    if (this.isMine) rmSync(FILE.pidFile, { force: true });
  }
}
