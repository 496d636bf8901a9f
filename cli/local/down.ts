import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { LOCAL_ROOT, type LocalNode, localNodes, readPid, waitFor } from './local-node.ts';

const STOP_DEADLINE_MS = 20_000;

/** Stops every node with SIGTERM, all at once. */
export async function down(): Promise<number> {
  const running = localNodes().filter((node) => readPid(node) !== undefined);
  if (running.length === 0) {
    process.stdout.write('nothing is up\n');
    return 0;
  }
  const codes = await Promise.all(running.map(stopAndTell));
  return Math.max(...codes);
}

async function stopAndTell(node: LocalNode): Promise<number> {
  const pid = readPid(node);
  const isDown = await stopLocalNode(node);
  process.stdout.write(
    isDown
      ? `down: ${node.name}\n`
      : `${node.name} (pid ${pid}) has not ended after ${STOP_DEADLINE_MS / 1000} s\n`,
  );
  return isDown ? 0 : 1;
}

/** SIGTERM; false where the process has not ended within STOP_DEADLINE_MS. */
export async function stopLocalNode(node: LocalNode): Promise<boolean> {
  const pid = readPid(node);
  if (pid !== undefined) process.kill(pid, 'SIGTERM');
  const isDown = await waitFor(STOP_DEADLINE_MS, async () => readPid(node) === undefined);
  if (isDown) rmSync(node.pidFile, { force: true });
  return isDown;
}

/** Stops what runs and removes all data, once confirmed. */
export async function clean(args: readonly string[]): Promise<number> {
  const isConfirmed =
    args.includes('--yes') || (await confirm(`remove ${LOCAL_ROOT} with all its data? [y/N] `));
  if (!isConfirmed || (await down()) !== 0) return 1;
  rmSync(LOCAL_ROOT, { recursive: true, force: true });
  process.stdout.write(`removed ${LOCAL_ROOT}\n`);
  return 0;
}

async function confirm(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) {
    process.stderr.write('clean removes data: confirm with --yes\n');
    return false;
  }
  const prompt = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await prompt.question(question);
  prompt.close();
  return answer.trim().toLowerCase() === 'y';
}
