import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export type ClientName = 'redis-py' | 'go-redis';

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const INSTALLED = '../../.kvorum/clients/';
const COMMANDS: Readonly<Record<ClientName, readonly [string, ...string[]]>> = {
  'redis-py': [path(`${INSTALLED}python/bin/python`), path('../clients/python/client.py')],
  'go-redis': [path(`${INSTALLED}go-redis`)],
};

/** Why tests with it are left out, where they are: TEST_REQUIRES_CLIENTS=1 makes what is missing a failure. */
export function missingClient(name: ClientName): string | false {
  if (existsSync(COMMANDS[name][0]) || process.env.TEST_REQUIRES_CLIENTS === '1') return false;
  return `${name} is not installed: e2e/clients/install.sh does that`;
}

/** What the program printed. Rejects with what it said where it failed. */
export function runClient<T = Record<string, unknown>>(
  name: ClientName,
  ...args: readonly (string | number)[]
): Promise<T> {
  return startClient<T>(name, ...args).stop();
}

/** A program that does its work until it is stopped: the end of its input. */
export type RunningClient<T> = Disposable & { stop(): Promise<T> };

export function startClient<T>(name: ClientName, ...args: readonly (string | number)[]): RunningClient<T> {
  const [command, ...first] = COMMANDS[name];
  const child = spawn(command, [...first, ...args.map(String)]);
  const ended = outputOf(child, name);
  // Whoever does not stop it learns nothing of it.
  ended.catch(() => {});
  return {
    async stop() {
      child.stdin.end();
      return JSON.parse(await ended) as T;
    },
    [Symbol.dispose]: () => void child.kill('SIGKILL'),
  };
}

function outputOf(child: ChildProcessWithoutNullStreams, name: ClientName): Promise<string> {
  let output = '';
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  child.stdin.on('error', () => {});
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0 ? resolve(output) : reject(new Error(`${name} ended with ${code}: ${said.slice(-2000)}`)),
    );
  });
}
