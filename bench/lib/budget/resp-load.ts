import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { ensureDebianPackage } from '../../../e2e/lib/debian.ts';
import type { KvorumCluster } from '../kvorum-cluster.ts';
import type { ClientSpan } from './critical-path.ts';

export type Kind = 'puts' | 'gets';

export const VALUE_BYTES = 256;
export const KEYS = 100_000;
const BENCHMARK = '/usr/bin/redis-benchmark';
/** More than any load gets done: it is ended from here. */
const REQUESTS_ENDLESS = 1_000_000_000;
const FILL_PIPELINE = 25;
/** A machine that is busy with other things may let writes run into their deadline. */
const FILL_TRIES = 10;
const VALUE = 'x'.repeat(VALUE_BYTES);
const ANSWER_BYTES: Readonly<Record<Kind, number>> = { puts: 5, gets: VALUE_BYTES + 8 };
/** What an error begins with. */
const MINUS = 45;
const HOST = '127.0.0.1';

/** Of redis-benchmark, so that what this fills is what that reads. */
const keyOf = (number: number): string => `key:${String(number).padStart(12, '0')}`;
const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`;
const putOf = (number: number): string => `*3\r\n${bulk('SET')}${bulk(keyOf(number))}${bulk(VALUE)}`;
const getOf = (number: number): string => `*2\r\n${bulk('GET')}${bulk(keyOf(number))}`;

/** Of the nodes in their order, as the members have announced them. */
export async function respPortsOf(cluster: KvorumCluster): Promise<readonly number[]> {
  type Members = { readonly members: readonly { readonly name: string; readonly respAddress?: string }[] };
  return cluster.until('the RESP ports of all nodes', async () => {
    const { members } = await cluster.get<Members>(0, '/v1/members');
    const ports = cluster.endpoints.map((_, i) => {
      const address = members.find(({ name }) => name === `kvorum-${i + 1}`)?.respAddress;
      return address === undefined ? undefined : Number(address.split(':').at(-1));
    });
    return ports.every((port) => port !== undefined) && ports;
  });
}

/** Each key once. */
export async function fill(ports: readonly number[]): Promise<void> {
  const fillFrom = async (port: number, i: number): Promise<void> => {
    for (let first = i; first < KEYS; first += ports.length * FILL_PIPELINE) {
      const numbers = Array.from({ length: FILL_PIPELINE }, (_, at) => first + at * ports.length);
      const puts = numbers.filter((number) => number < KEYS).map(putOf);
      await fillSome(port, puts);
    }
  };
  await Promise.all(ports.map(fillFrom));
}

/** On a connection of its own, so that no answer is left over for the next try. */
async function fillSome(port: number, puts: readonly string[]): Promise<void> {
  for (let tries = 1; ; tries++) {
    const socket = await open(port);
    try {
      await exchange(socket, puts.join(''), puts.length * ANSWER_BYTES.puts);
      return;
    } catch (error) {
      if (tries === FILL_TRIES) throw error;
    } finally {
      socket.destroy();
    }
  }
}

/** A load that goes on until it is ended. */
export type Load = { readonly pids: readonly number[]; end(): Promise<void> };

/** Closed loops by redis-benchmark, evenly over the nodes; keys are drawn evenly. */
export async function startLoad(ports: readonly number[], kind: Kind, connections: number): Promise<Load> {
  ensureDebianPackage('redis-tools', BENCHMARK);
  const children: ChildProcess[] = [];
  for (const [i, port] of ports.entries()) {
    const own = Math.floor((connections + ports.length - 1 - i) / ports.length);
    if (own === 0) continue;
    const test = kind === 'puts' ? 'set' : 'get';
    const args = ['-h', HOST, '-p', port, '-c', own, '-n', REQUESTS_ENDLESS, '-r', KEYS, '-d', VALUE_BYTES];
    const child = spawn(BENCHMARK, [...args, '-t', test, '-q'].map(String), { stdio: 'ignore' });
    await once(child, 'spawn');
    children.push(child);
  }
  const endWithRun = (): void => {
    for (const child of children) child.kill('SIGKILL');
  };
  process.once('exit', endWithRun);
  return {
    pids: children.map(({ pid }) => pid as number),
    async end() {
      process.off('exit', endWithRun);
      await Promise.all(children.map((child) => ended(child)));
    },
  };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null)
    throw new Error('redis-benchmark ended by itself: a node refused its commands');
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

/** One connection that asks one thing after the other; it tells when each left and was answered, of the clock that the probes read. */
export class LoneClient {
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  static async connect(port: number): Promise<LoneClient> {
    return new LoneClient(await open(port));
  }

  /** As the probes name it. */
  get link(): string {
    const { localPort = 0, remotePort = 0 } = this.#socket;
    return localPort < remotePort ? `${localPort}-${remotePort}` : `${remotePort}-${localPort}`;
  }

  async run(kind: Kind, count: number): Promise<readonly ClientSpan[]> {
    const spans: ClientSpan[] = [];
    for (let i = 0; i < count; i++) {
      const number = Math.floor(Math.random() * KEYS);
      const request = kind === 'puts' ? putOf(number) : getOf(number);
      const sentMicros = nowMicros();
      const answeredMicros = await exchange(this.#socket, request, ANSWER_BYTES[kind]);
      spans.push({ sentMicros, answeredMicros });
    }
    return spans;
  }

  close(): void {
    this.#socket.destroy();
  }
}

async function open(port: number): Promise<Socket> {
  const socket = connect(port, HOST).setNoDelay(true);
  await once(socket, 'connect');
  return socket;
}

/** Sends, and resolves with the time at which so many bytes had come back. */
function exchange(socket: Socket, bytes: string, answerBytes: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let missing = answerBytes;
    const onData = (chunk: Buffer): void => {
      const atMicros = nowMicros();
      missing -= chunk.length;
      if (chunk[0] === MINUS) stop(() => reject(new Error(`a node answered ${chunk.toString()}`)));
      else if (missing <= 0) stop(() => resolve(atMicros));
    };
    const onClose = (): void => stop(() => reject(new Error('a node closed the connection of the load')));
    const stop = (then: () => void): void => {
      socket.off('data', onData).off('close', onClose);
      then();
    };
    socket.on('data', onData).on('close', onClose);
    socket.write(bytes);
  });
}

function nowMicros(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e6 + nanoseconds / 1e3;
}
