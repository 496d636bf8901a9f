import { setTimeout as sleep } from 'node:timers/promises';
import type { Ledger } from '../lib/ledger.ts';
import type { ServerProcess } from '../lib/server-process.ts';

/** Runs its rounds and returns a summary; throws at the first lost write. */
export type Soak = (run: SoakRun) => Promise<string>;

export type SoakRun = {
  readonly directory: string;
  readonly engine: string;
  readonly rounds: number;
  readonly writers: number;
  /** Where a soak has another number by itself. */
  readonly keys?: number;
  progress(text: string): void;
};

/** Lets the writers run for `loadMs`, then kills the node under them with SIGKILL. */
export async function writeAndKill(
  server: ServerProcess,
  ledger: Ledger,
  writers: number,
  valueBytes: number,
  loadMs: number,
): Promise<void> {
  const stop = new AbortController();
  const writing = ledger.write(server.url, {
    ...{ writers, keysPerWriter: 50, valueBytes, signal: stop.signal },
    resp: server.respTarget,
  });
  await sleep(loadMs);
  await server.kill();
  stop.abort();
  await writing;
}

/** Throws where no client of Redis was served. */
export function summaryOf(rounds: number, ledger: Ledger): string {
  if (ledger.acknowledgedOverResp === 0) throw new Error('no write was acknowledged over RESP');
  return `${rounds} rounds, ${ledger.acknowledged} acknowledged (${ledger.acknowledgedOverResp} over RESP), ${ledger.refused} refused, ${ledger.unknown} unknown, none lost`;
}
