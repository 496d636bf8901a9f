import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { defer } from '../defer.ts';
import { TestCluster } from '../http/test-cluster.ts';
import { TestData } from '../http/test-data.ts';
import { TestStore } from '../http/test-store.ts';
import { createMetrics, type Metrics } from '../metrics.ts';
import { systemClock } from '../system-clock.ts';
import { type Plain, readReplies } from './dumb-reply-reader.ts';
import type { RespDeps } from './resp-context.ts';
import { defaultRespOptions, type RespOptions } from './resp-options.ts';
import { type RespServer, startRespServer } from './server.ts';

/** A server over a TestStore on a free port, for tests; disposing it closes it. */
export type TestResp = AsyncDisposable & {
  readonly port: number;
  readonly store: TestStore;
  readonly cluster: TestCluster;
  readonly metrics: Metrics;
  readonly server: RespServer;
  connect(): Promise<TestClient>;
};

export async function startTestResp(
  changes: Partial<RespOptions> = {},
  deps: Partial<RespDeps> = {},
): Promise<TestResp> {
  const store = new TestStore();
  const cluster = new TestCluster();
  const data = new TestData(cluster, store);
  const metrics = createMetrics();
  const server = await startRespServer(
    { ...defaultRespOptions, port: 0, ...changes },
    { store, cluster, data: () => data, clock: systemClock, log: SILENT, metrics, defer, status, ...deps },
  );
  const { port } = server.address;
  const clients: TestClient[] = [];
  return {
    ...{ port, store, cluster, metrics, server },
    async connect() {
      const client = await TestClient.open(port);
      clients.push(client);
      return client;
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.socket.destroy();
      await server.close(0);
    },
  };
}

const silent = (): void => {};
const SILENT = { error: silent, warn: silent, info: silent, debug: silent };
const status = () => ({
  ...{ name: 'node-1', version: '0.1.0', engine: 'memory', uptimeSeconds: 90_000, processId: 7 },
});

/** Speaks in the plain bytes of the protocol. */
export class TestClient {
  readonly socket: Socket;
  /** Everything that came and was not read yet, in latin1. */
  received = '';
  isClosed = false;
  readonly #came = new Set<() => void>();

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.received += chunk.toString('latin1');
      this.#wake();
    });
    socket.on('error', silent);
    socket.on('close', () => {
      this.isClosed = true;
      this.#wake();
    });
  }

  static async open(port: number): Promise<TestClient> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const client = new TestClient(socket);
    await once(socket, 'connect');
    return client;
  }

  send(...commands: readonly (readonly (string | Uint8Array)[])[]): void {
    this.socket.write(Buffer.concat(commands.map(encodeCommand)));
  }

  /** The next `count` replies, as soon as they are there. Rejects where the connection ends before. */
  async replies(count: number): Promise<Plain[]> {
    const found: Plain[] = [];
    while (found.length < count) {
      const { replies, rest } = readReplies(this.received);
      found.push(...replies);
      this.received = rest;
      if (found.length >= count) break;
      if (this.isClosed) throw new Error(`closed after ${found.length} of ${count} replies`);
      await this.#news();
    }
    if (found.length > count) throw new Error(`${found.length} replies to ${count} commands`);
    return found;
  }

  async run(...command: readonly (string | Uint8Array)[]): Promise<Plain> {
    this.send(command);
    return (await this.replies(1))[0] as Plain;
  }

  /** A command in one line, its words between blanks. */
  say(line: string): Promise<Plain> {
    return this.run(...line.split(' '));
  }

  async closed(): Promise<string> {
    while (!this.isClosed) await this.#news();
    return this.received;
  }

  #news(): Promise<void> {
    return new Promise((resolve) => this.#came.add(resolve));
  }

  #wake(): void {
    const waiting = [...this.#came];
    this.#came.clear();
    for (const each of waiting) each();
  }
}

export function encodeCommand(command: readonly (string | Uint8Array)[]): Buffer {
  const parts = command.map((each) => {
    const bytes = Buffer.from(each);
    return Buffer.concat([Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n')]);
  });
  return Buffer.concat([Buffer.from(`*${command.length}\r\n`), ...parts]);
}

/** A reply as one line of text, errors in angle brackets. */
export function show(reply: Plain): string {
  if (reply instanceof Error) return `<${reply.message}>`;
  return JSON.stringify(reply);
}
