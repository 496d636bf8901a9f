import { type SpawnSyncReturns, spawnSync } from 'node:child_process';

const DEADLINE_MS = 30_000;

/** Runs the command line as a process of its own against the node at `url`, with `input` as its standard input. */
export function runCli(url: string, args: readonly string[], input = ''): SpawnSyncReturns<string> {
  const command = ['cli/main.ts', '--url', url, ...args];
  return spawnSync(process.execPath, command, { encoding: 'utf8', input, timeout: DEADLINE_MS });
}
