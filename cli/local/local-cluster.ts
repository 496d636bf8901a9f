import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { type LocalNode, localNode, readPid, waitFor, writePid } from './local-node.ts';

const START_DEADLINE_MS = 15_000;
const STOP_DEADLINE_MS = 20_000;

/** Runs one command and returns the exit code. */
export async function localCluster(command: string, args: readonly string[]): Promise<number> {
  const node = localNode(1);
  switch (command) {
    case 'up':
      return up(node, args);
    case 'down':
      return down(node);
    case 'status':
      return status(node);
    case 'logs':
      return logs(node, args.includes('-f'));
    case 'clean':
      return clean(node, args.includes('--yes'));
    default:
      process.stderr.write(`unknown command '${command}': up, down, status, logs or clean\n`);
      return 2;
  }
}

async function up(node: LocalNode, args: readonly string[]): Promise<number> {
  if (args.length > 0 && args[0] !== '1') {
    process.stderr.write(
      `up: '${args[0]}' nodes asked for; this version runs one node (clusters are not built yet)\n`,
    );
    return 2;
  }
  if (readPid(node) !== undefined) {
    process.stdout.write(`already up: ${node.url}\n`);
    return 0;
  }
  mkdirSync(node.directory, { recursive: true });
  const log = openSync(node.logFile, 'a');
  const flags = ['--name', node.name, '--data-dir', node.dataDir, '--http-port', String(node.httpPort)];
  const child = spawn(process.execPath, ['cli/main.ts', 'server', ...flags], {
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  child.unref();
  let exited: number | null | undefined;
  child.once('exit', (code) => {
    exited = code;
  });
  writePid(node, child.pid as number);
  const isUp = await waitFor(START_DEADLINE_MS, async () => exited !== undefined || (await isReady(node)));
  if (isUp && exited === undefined) {
    process.stdout.write(`up: ${node.name} at ${node.url} (data and log in ${node.directory})\n`);
    return 0;
  }
  process.stderr.write(exited === undefined ? 'not ready in time; ' : `ended with code ${exited}; `);
  process.stderr.write(
    `the end of ${node.logFile}:\n${readFileSync(node.logFile, 'utf8').split('\n').slice(-12).join('\n')}\n`,
  );
  return 1;
}

async function down(node: LocalNode): Promise<number> {
  const pid = readPid(node);
  if (pid === undefined) {
    process.stdout.write('nothing is up\n');
    return 0;
  }
  process.kill(pid, 'SIGTERM');
  const isDown = await waitFor(STOP_DEADLINE_MS, async () => readPid(node) === undefined);
  process.stdout.write(
    isDown
      ? `down: ${node.name}\n`
      : `${node.name} (pid ${pid}) has not ended after ${STOP_DEADLINE_MS / 1000} s\n`,
  );
  if (isDown) rmSync(node.pidFile, { force: true });
  return isDown ? 0 : 1;
}

async function status(node: LocalNode): Promise<number> {
  const pid = readPid(node);
  if (pid === undefined) {
    process.stdout.write(
      `${node.name}  down${existsSync(node.dataDir) ? `, data kept in ${node.directory}` : ''}\n`,
    );
    return 1;
  }
  const ready = await isReady(node);
  process.stdout.write(
    `${node.name}  ${ready ? 'ready' : 'not ready'}  ${node.url}  pid ${pid}  log ${node.logFile}\n`,
  );
  return ready ? 0 : 1;
}

async function isReady(node: LocalNode): Promise<boolean> {
  try {
    const answer = await fetch(`${node.url}/readyz`, { signal: AbortSignal.timeout(1000) });
    await answer.arrayBuffer();
    return answer.ok;
  } catch {
    return false;
  }
}

async function logs(node: LocalNode, follow: boolean): Promise<number> {
  if (!existsSync(node.logFile)) {
    process.stderr.write('there is no log yet: ./dev.sh up starts a node\n');
    return 1;
  }
  let offset = 0;
  const print = (): void => {
    const size = statSync(node.logFile).size;
    if (size > offset) process.stdout.write(readFileSync(node.logFile).subarray(offset));
    offset = size;
  };
  print();
  while (follow) {
    await waitFor(200, async () => statSync(node.logFile).size > offset);
    print();
  }
  return 0;
}

async function clean(node: LocalNode, isConfirmed: boolean): Promise<number> {
  if (!isConfirmed && !(await confirm(`remove ${node.root} with all its data? [y/N] `))) return 1;
  if (readPid(node) !== undefined && (await down(node)) !== 0) return 1;
  rmSync(node.root, { recursive: true, force: true });
  process.stdout.write(`removed ${node.root}\n`);
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
