import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RespTarget } from './resp-data-client.ts';

export type ServerOptions = {
  /** Holds the data directory and the log. */
  readonly directory: string;
  readonly port: number;
  /** The address of the HTTP interface; loopback where absent. */
  readonly host?: string;
  /** Settings by name, as in `kvorum config`. */
  readonly settings?: Readonly<Record<string, string | number>>;
  readonly environment?: Readonly<Record<string, string>>;
  /** Put before the command, e.g. a tracer. */
  readonly prefix?: readonly string[];
};

const START_DEADLINE_MS = 20_000;

/** A node that is alone and serves data; a node of a cluster is told otherwise by its own settings. */
const ALONE = { 'cluster.bootstrap': 'true', 'cluster.replicationFactor': 1, 'peer.port': 0, 'resp.port': 0 };

/** A real `kvorum server` process. */
export class ServerProcess {
  readonly url: string;
  /** Where clients of Redis reach it; undefined where it takes any port. */
  readonly respTarget: RespTarget | undefined;
  readonly #child: ChildProcess;
  readonly #logFile: string;
  readonly exited: Promise<number | string>;
  hasExited = false;

  private constructor(options: ServerOptions) {
    const host = options.host ?? '127.0.0.1';
    this.url = `http://${host}:${options.port}`;
    const respPort = Number(options.settings?.['resp.port'] ?? 0);
    this.respTarget = respPort === 0 ? undefined : { host, port: respPort };
    mkdirSync(options.directory, { recursive: true });
    this.#logFile = `${options.directory}/node.log`;
    const log = openSync(this.#logFile, 'a');
    const settings = Object.entries({ ...ALONE, 'http.host': host, ...options.settings }).flatMap(
      ([name, value]) => ['--set', `${name}=${value}`],
    );
    const server = [
      process.execPath,
      'cli/main.ts',
      'server',
      '--data-dir',
      `${options.directory}/data`,
      '--http-port',
      String(options.port),
    ];
    const [command, ...args] = [...(options.prefix ?? []), ...server, ...settings] as [string, ...string[]];
    this.#child = spawn(command, args, {
      stdio: ['ignore', log, log],
      env: { ...process.env, ...options.environment },
    });
    closeSync(log);
    // A run that fails half way must not leave its node behind.
    const endWithRun = (): boolean => this.#child.kill('SIGKILL');
    process.once('exit', endWithRun);
    this.exited = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => {
        this.hasExited = true;
        process.off('exit', endWithRun);
        resolve(code ?? (signal as string));
      });
    });
  }

  /** Starts and waits until the node is ready; throws with the end of its log where it does not come up. */
  static async start(options: ServerOptions): Promise<ServerProcess> {
    const server = new ServerProcess(options);
    if (await server.waitReady(START_DEADLINE_MS)) return server;
    await server.kill();
    throw new Error(`the node did not become ready; the end of its log:\n${server.logTail()}`);
  }

  /** Starts without waiting. */
  static spawn(options: ServerOptions): ServerProcess {
    return new ServerProcess(options);
  }

  async waitReady(deadlineMs: number): Promise<boolean> {
    const end = performance.now() + deadlineMs;
    while (performance.now() < end && !this.hasExited) {
      if (await isReady(this.url)) return true;
      await sleep(20);
    }
    return false;
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  /** kill -9 */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.exited;
  }

  /** SIGSTOP: the process stands still, its connections stay open. */
  pause(): void {
    this.#child.kill('SIGSTOP');
  }

  /** SIGCONT */
  wake(): void {
    this.#child.kill('SIGCONT');
  }

  /** SIGTERM; resolves with the exit code. */
  async stop(): Promise<number | string> {
    this.#child.kill('SIGTERM');
    return this.exited;
  }

  logTail(): string {
    return this.log().split('\n').slice(-15).join('\n');
  }

  /** Everything that was logged in this directory, also by earlier processes. */
  log(): string {
    return readFileSync(this.#logFile, 'utf8');
  }
}

async function isReady(url: string): Promise<boolean> {
  try {
    const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2000) });
    await answer.arrayBuffer();
    return answer.ok;
  } catch {
    return false;
  }
}

/** Below the ports that a kernel gives to outgoing connections: a node that was down finds its own port free again. */
const PORT_FIRST = 12_000;
const PORT_LAST = 31_999;
const PORT_TRIES_MAX = 200;
const givenPorts = new Set<number>();

/** A port of `host` that is free now, and that this process was not given before. */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  for (let i = 0; i < PORT_TRIES_MAX; i++) {
    const port = PORT_FIRST + Math.floor(Math.random() * (PORT_LAST - PORT_FIRST + 1));
    if (givenPorts.has(port) || !(await isFree(port, host))) continue;
    givenPorts.add(port);
    return port;
  }
  throw new Error(`no free port was found in ${PORT_TRIES_MAX} tries from ${PORT_FIRST} to ${PORT_LAST}`);
}

function isFree(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}
