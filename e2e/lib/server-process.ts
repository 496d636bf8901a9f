import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export type ServerOptions = {
  /** Holds the data directory and the log. */
  readonly directory: string;
  readonly port: number;
  /** Settings by name, as in `kvorum config`. */
  readonly settings?: Readonly<Record<string, string | number>>;
  readonly environment?: Readonly<Record<string, string>>;
  /** Put before the command, e.g. a tracer. */
  readonly prefix?: readonly string[];
};

const START_DEADLINE_MS = 20_000;

/** A real `kvorum server` process on loopback. */
export class ServerProcess {
  readonly url: string;
  readonly #child: ChildProcess;
  readonly #logFile: string;
  readonly exited: Promise<number | string>;
  hasExited = false;

  private constructor(options: ServerOptions) {
    this.url = `http://127.0.0.1:${options.port}`;
    mkdirSync(options.directory, { recursive: true });
    this.#logFile = `${options.directory}/node.log`;
    const log = openSync(this.#logFile, 'a');
    const settings = Object.entries(options.settings ?? {}).flatMap(([name, value]) => [
      '--set',
      `${name}=${value}`,
    ]);
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

  /** SIGTERM; resolves with the exit code. */
  async stop(): Promise<number | string> {
    this.#child.kill('SIGTERM');
    return this.exited;
  }

  logTail(): string {
    return readFileSync(this.#logFile, 'utf8').split('\n').slice(-15).join('\n');
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

/** A port that is free now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
