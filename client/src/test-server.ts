import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { answerOther } from './test-namespaces.ts';
import { answerBatch, answerKey, answerScan, emptyState, type Reply, type State } from './test-node.ts';

/** What goes wrong with the next request. `cut-after`: it is executed, and the connection breaks before the answer. */
export type Fault =
  | {
      readonly type: 'refuse';
      readonly status: number;
      readonly code?: string;
      readonly retryAfter?: string;
      /** Of the problem document; `retryable` is true where it says nothing. */
      readonly data?: object;
    }
  | { readonly type: 'hang' }
  | { readonly type: 'cut-before' }
  | { readonly type: 'cut-after' }
  | { readonly type: 'cut-stream' }
  | { readonly type: 'delay'; readonly ms: number };

/** A node in memory that answers as docs/http-api.md says, with faults for the requests to come, in order. */
export class TestServer implements AsyncDisposable {
  readonly faults: Fault[] = [];
  /** `METHOD path` of everything that arrived. */
  readonly seen: string[] = [];
  /** The headers of each. */
  readonly headers: IncomingMessage['headers'][] = [];
  /** What `GET /v1/ring` answers, which is neither seen nor met by a fault; undefined: there is no such route. */
  ring: object | undefined;
  ringReads = 0;
  /** What `GET /v1/cluster` says, which is not seen either. */
  clusterId = 'a'.repeat(32);
  readonly state: State;
  readonly #server: Server = createServer((request, response) => void this.#serve(request, response));
  readonly #sockets = new Set<Socket>();

  private constructor(state: State) {
    this.state = state;
  }

  /** Several that are given one state are nodes of one cluster. */
  static async start(state: State = emptyState()): Promise<TestServer> {
    const server = new TestServer(state);
    server.#server.on('connection', (socket) => server.#sockets.add(socket));
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get url(): string {
    return `http://${this.address}`;
  }

  get address(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `127.0.0.1:${port}`;
  }

  /** Stops listening and breaks all connections, as kill -9 does. */
  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, 'close');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = Buffer.concat(await request.toArray());
    if (request.url === '/v1/ring') return void answerRing(response, this.ring, () => this.ringReads++);
    if (request.url === '/v1/cluster') return answerCluster(response, this.clusterId);
    this.seen.push(`${request.method} ${request.url}`);
    this.headers.push(request.headers);
    const fault = this.faults.shift();
    if (fault?.type === 'delay') await sleep(fault.ms);
    if (fault?.type === 'hang') return;
    if (fault?.type === 'cut-before') return void request.socket.destroy();
    if (fault?.type === 'refuse') return refuse(response, fault);
    const reply = replyTo(this.state, request, body);
    if (fault?.type === 'cut-after') return void request.socket.destroy();
    response.writeHead(reply.status, reply.headers);
    if (fault?.type !== 'cut-stream')
      return void response.end(request.method === 'HEAD' ? undefined : reply.body);
    response.write(reply.body.subarray(0, reply.body.length / 2), () => request.socket.destroy());
  }
}

function answerRing(response: ServerResponse, ring: object | undefined, count: () => void): void {
  count();
  response.writeHead(ring === undefined ? 404 : 200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(ring ?? { code: 'ROUTE_NOT_FOUND' }));
}

function answerCluster(response: ServerResponse, clusterId: string): void {
  const quorum = { state: 'ok' };
  response.end(JSON.stringify({ node: { name: 'node' }, quorum, clusterId }));
}

function refuse(response: ServerResponse, fault: Fault & { type: 'refuse' }): void {
  const { status, code, retryAfter, data } = fault;
  if (retryAfter !== undefined) response.setHeader('retry-after', retryAfter);
  response.writeHead(status, { 'content-type': 'application/problem+json' });
  const problem = {
    status,
    code,
    detail: 'refused by the test',
    retryable: true,
    action: 'Try again.',
    ...data,
  };
  response.end(code === undefined ? 'a proxy says no' : JSON.stringify(problem));
}

function replyTo(state: State, request: IncomingMessage, body: Buffer): Reply {
  const url = request.url ?? '';
  if (!url.startsWith('/v1/kv/')) return answerOther(state, request.method ?? '', url);
  const [, namespace = '', key] = /^\/v1\/kv\/([^/?]+?)(?:\/([^?]*))?(?:\?.*)?$/.exec(url) ?? [];
  const query = new URLSearchParams(url.split('?')[1] ?? '');
  if (key !== undefined) return answerKey(state, request, namespace, key, query, body);
  if (/(:|%3A)batch(\?|$)/.test(url)) return answerBatch(state, namespace.split(':')[0]!, body);
  return answerScan(state, namespace, query, request.headers.accept?.includes('ndjson') === true);
}
