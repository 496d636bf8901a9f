import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureDebianPackage } from '../../e2e/lib/debian.ts';
import { freePort } from '../../e2e/lib/server-process.ts';

const PROGRAM = '/usr/bin/redis-server';
const START_DEADLINE_MS = 30_000;
const REPLICAS = 2;

/** A redis-server with two replicas, each of which fsyncs its log before it answers what is in it. */
export type RedisReplicas = {
  /** Of the one that takes writes. */
  readonly endpoint: string;
  /** The one that takes writes first. */
  readonly pids: readonly number[];
  /** Holds the server's log and data; as many as `pids`. */
  readonly directories: readonly string[];
  stop(): Promise<void>;
};

export async function startRedisReplicas(options: {
  readonly directory: string;
  /** Put before the command, e.g. a tracer. */
  readonly prefixOf?: (i: number) => readonly string[];
}): Promise<RedisReplicas> {
  ensureDebianPackage('redis-server', PROGRAM);
  const port = await freePort();
  const servers: RedisServer[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.stop()));
  };
  try {
    for (let i = 0; i <= REPLICAS; i++) {
      const settings = i === 0 ? [] : ['--replicaof', `127.0.0.1 ${port}`];
      const at = {
        port: i === 0 ? port : await freePort(),
        directory: `${options.directory}/redis-${i + 1}`,
      };
      const server = new RedisServer(at, settings, options.prefixOf?.(i) ?? []);
      servers.push(server);
      await server.holds(/^loading:0/m);
    }
    await servers[0]?.holds(new RegExp(`(slave\\d:.*state=online.*\\s+){${REPLICAS}}`));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    endpoint: `127.0.0.1:${port}`,
    pids: servers.map(({ pid }) => pid),
    directories: servers.map(({ directory }) => directory),
    stop,
  };
}

class RedisServer {
  readonly directory: string;
  readonly #port: number;
  readonly #child: ChildProcess;

  constructor(
    at: { readonly port: number; readonly directory: string },
    settings: readonly string[],
    prefix: readonly string[],
  ) {
    this.directory = at.directory;
    this.#port = at.port;
    mkdirSync(at.directory, { recursive: true });
    const basic = { port: at.port, bind: '127.0.0.1', dir: at.directory, save: '' };
    // Without the delay, replicas that come later would wait five seconds for others.
    const durable = { appendonly: 'yes', appendfsync: 'always', 'repl-diskless-sync-delay': 0 };
    const flags = Object.entries({ ...basic, ...durable }).flatMap(([name, value]) => [
      `--${name}`,
      String(value),
    ]);
    const log = openSync(this.#log, 'a');
    const [command, ...args] = [...prefix, PROGRAM, ...flags, ...settings] as [string, ...string[]];
    this.#child = spawn(command, args, { stdio: ['ignore', log, log] });
    closeSync(log);
    // A run that fails half way must not leave its servers behind.
    const endWithRun = (): boolean => this.#child.kill('SIGKILL');
    process.once('exit', endWithRun);
    this.#child.once('exit', () => process.off('exit', endWithRun));
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  get #log(): string {
    return `${this.directory}/redis.log`;
  }

  /** Waits until what INFO tells matches. */
  async holds(pattern: RegExp): Promise<void> {
    const deadlineMs = performance.now() + START_DEADLINE_MS;
    while (performance.now() < deadlineMs && this.#child.exitCode === null) {
      if (pattern.test(await infoOf(this.#port))) return;
      await sleep(20);
    }
    const tail = readFileSync(this.#log, 'utf8').slice(-1000);
    throw new Error(`redis-server did not come to ${pattern}; the end of its log:\n${tail}`);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }
}

/** Empty where nobody answers. */
async function infoOf(port: number): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  try {
    socket.end('INFO\r\n');
    for await (const chunk of socket) text += String(chunk);
  } catch {
    // It does not listen yet.
  }
  return text;
}
