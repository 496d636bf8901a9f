import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { apiVersionOf, type KubeObject, type ObjectRef, type Resource } from '../kube/resource.ts';
import { knownResources } from '../kube/resources.ts';
import { type Answer, answer, matcherOf } from './fake-api-server-answers.ts';
import { type FakeCall, type FakeResource, targetOf, verbOf, WRITES } from './fake-api-server-call.ts';
import { type CallHook, type Fault, type FaultPlan, Faults } from './fake-api-server-faults.ts';
import { valueAt } from './fake-api-server-json.ts';
import { ApiStatus, type Change, FakeObjects } from './fake-api-server-objects.ts';
import { FakeWatches } from './fake-api-server-watches.ts';

/**
 * An API server in memory over real HTTP, for tests.
 *
 *     await using server = await FakeApiServer.start({ resources: [kvClusters] });
 *     const client = connect to server.url;
 *     server.put(pods, { metadata: { name: 'a', namespace: 'n' }, status: { phase: 'Running' } });
 *     server.inject({ type: 'status', status: 500 }, { times: 2, when: (call) => call.verb === 'apply' });
 *
 * It knows what an operator relies on: versions over all objects, uid, generation (counts changes of anything but
 * metadata and status), conflicts, preconditions of deletion, finalizers, /status and /scale, merge patch, server-side
 * apply (fake-api-server-apply.ts), selectors, pages, watches from a version with bookmarks, and 410 for what is
 * compacted. A write that changes nothing makes no new version. It runs no controllers and collects no garbage:
 * `onChange` is the place for a test's own StatefulSet controller.
 *
 * Methods act as somebody else would, past the faults and the log of calls.
 */
export class FakeApiServer implements AsyncDisposable {
  /** Every call in the order of arrival, those that met a fault as well. */
  readonly calls: FakeCall[] = [];
  readonly watches: FakeWatches;
  readonly objects: FakeObjects;
  /** Connections that were opened so far. */
  connectionsOpened = 0;
  /** Sees each connection; with TLS when its handshake is over. */
  onSocket: (socket: Socket) => void = () => undefined;
  readonly #resources: FakeResource[];
  readonly #faults = new Faults();
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  #url = '';
  #staleListVersion: number | undefined;

  private constructor(options: FakeApiServerOptions) {
    this.objects = new FakeObjects(options.nowMs ?? Date.now);
    this.watches = new FakeWatches(this.objects);
    this.#resources = [...(options.resources ?? []), ...knownResources.map(builtIn)];
    const listener = (request: IncomingMessage, response: ServerResponse): void =>
      // Only a caller that went away while it was being read gets here.
      void this.#serve(request, response).catch(() => response.destroy());
    this.#server =
      options.tls === undefined ? createServer(listener) : createTlsServer(options.tls, listener);
    this.#server.keepAliveTimeout = 60_000;
    if (options.tls !== undefined)
      this.#server.on('secureConnection', (socket: Socket) => this.onSocket(socket));
    this.#server.on('connection', (socket: Socket) => {
      this.connectionsOpened++;
      if (options.tls === undefined) this.onSocket(socket);
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  static async start(options: FakeApiServerOptions = {}): Promise<FakeApiServer> {
    const server = new FakeApiServer(options);
    await server.#listen(0);
    server.#url = `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${server.port}`;
    return server;
  }

  get url(): string {
    return this.#url;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Calls that would have written something. */
  get writes(): readonly FakeCall[] {
    return this.calls.filter(({ verb }) => WRITES.includes(verb));
  }

  /** Makes a further kind known, or another behaviour of one. */
  define(resource: FakeResource): void {
    this.#resources.unshift(resource);
  }

  /** The kind is not known any more, as when its CustomResourceDefinition is deleted. */
  undefine({ group, plural }: Resource): void {
    const at = this.#resources.findIndex((known) => known.group === group && known.plural === plural);
    if (at >= 0) this.#resources.splice(at, 1);
  }

  get<T extends KubeObject>(resource: Resource<T>, ref: ObjectRef): T | undefined {
    return this.objects.get(resource, ref);
  }

  list<T extends KubeObject>(resource: Resource<T>): readonly T[] {
    return this.objects.list(resource);
  }

  /** Creates or replaces an object with its status, whatever version is there. */
  put<T extends KubeObject>(resource: Resource<T>, object: T): T {
    return this.objects.put(resource, object);
  }

  /** Changes an object that is there, status included. */
  change<T extends KubeObject>(resource: Resource<T>, ref: ObjectRef, change: (object: T) => T): T {
    return this.put(resource, change(this.objects.need(resource, ref)));
  }

  remove(resource: Resource, ref: ObjectRef): void {
    this.objects.remove(resource, ref);
  }

  /** Told of every change at once, whoever made it; returns how to end that. */
  onChange(listener: (change: Change) => void): () => void {
    return this.objects.onChange(listener);
  }

  /** The next calls (one, all kinds, unless the plan says otherwise) meet `fault`. */
  inject(fault: Fault, plan?: FaultPlan): void {
    this.#faults.inject(fault, plan);
  }

  /** `hook` sees every call from now on before it has an effect, and may decide its fault or kill the caller. */
  onCall(hook: CallHook): void {
    this.#faults.onCall(hook);
  }

  /** No faults from now on. */
  heal(): void {
    this.#faults.clear();
    this.watches.lose(() => false);
    this.#staleListVersion = undefined;
  }

  /** Lists are answered as of `version` until it is undefined again. The version must not be compacted. */
  serveStaleLists(version: number | undefined): void {
    this.#staleListVersion = version;
  }

  /** Forgets the changes so far: watches from before now are answered with 410. */
  compact(): void {
    this.objects.compact();
  }

  /** Closes the port and cuts all connections; objects stay. `restart` opens the same port again. */
  async stop(): Promise<void> {
    const port = this.port;
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
    this.restart = () => this.#listen(port);
  }

  restart: () => Promise<void> = () => Promise.reject(new Error('the server runs: stop it first'));

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.listening) await this.stop();
  }

  #listen(port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, '127.0.0.1', resolve);
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const call = await this.#callOf(request);
    this.calls.push(call);
    const fault = await this.#faults.of(call);
    switch (fault?.type) {
      case undefined:
        return this.#answer(call, response);
      case 'status':
        return refuse(call, response, fault);
      case 'hang':
      case 'drop':
        if (fault.isApplied) this.#effect(call);
        if (fault.type === 'drop') request.socket.destroy();
    }
  }

  async #callOf(request: IncomingMessage): Promise<FakeCall> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://server');
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const target = targetOf(pathname, this.#resources);
    const contentType = request.headers['content-type'];
    return {
      ...{
        number: this.calls.length + 1,
        verb: verbOf(request.method ?? 'GET', target, searchParams, contentType),
      },
      ...{ ...target, path: pathname, query: searchParams, headers: request.headers },
      ...{ body: text === '' ? undefined : JSON.parse(text), status: undefined },
    };
  }

  #answer(call: FakeCall, response: ServerResponse): void {
    try {
      if (call.verb === 'watch') this.#watch(call, response);
      else {
        const { status, body } =
          call.verb === 'discover'
            ? discovered(this.#resources, call)
            : answer(this.objects, call, this.#staleListVersion);
        send(call, response, status, body);
      }
    } catch (error) {
      const message = String((error as Error).message);
      if (error instanceof ApiStatus)
        refuse(call, response, { status: error.status, reason: error.reason, message });
      else if (error instanceof SyntaxError)
        refuse(call, response, { status: 400, reason: 'BadRequest', message });
      else
        refuse(call, response, {
          status: 500,
          message: `a bug of the fake server: ${(error as Error).stack}`,
        });
    }
  }

  /** What the call would change, where its answer gets lost. */
  #effect(call: FakeCall): void {
    try {
      answer(this.objects, call, undefined);
    } catch (error) {
      if (!(error instanceof ApiStatus)) throw error;
    }
  }

  #watch(call: FakeCall, response: ServerResponse): void {
    const version = Number(call.query.get('resourceVersion') ?? 0);
    const past = version === 0 ? this.#asAdded(call) : this.objects.changesSince(version);
    call.status = 200;
    this.watches.open(call, response, matcherOf(call.query), past);
  }

  /** A watch without a version begins with what is there. */
  #asAdded(call: FakeCall): Change[] {
    const resource = call.resource!;
    return this.objects.list(resource).map((object) => ({
      ...{ type: 'ADDED', resource, object, previous: undefined },
      resourceVersion: Number(object.metadata.resourceVersion),
    }));
  }
}

export type FakeApiServerOptions = {
  /** Kinds besides those of kube/resources.ts; the first of a group, version and plural counts. */
  readonly resources?: readonly FakeResource[];
  /** Wall time of creationTimestamp and deletionTimestamp. */
  readonly nowMs?: () => number;
  /** Serves HTTPS. */
  readonly tls?: ServerOptions;
};

export function builtIn(resource: Resource): FakeResource {
  const scale = { spec: 'spec.replicas', status: 'status.replicas', selector: 'status.selector' };
  if (resource.kind === 'StatefulSet') return { ...resource, scale };
  if (resource.kind === 'Lease') return { ...resource, hasStatus: false, admit: withMicroTimes };
  if (resource.group === 'events.k8s.io') return { ...resource, hasStatus: false, admit: withMicroTimes };
  return resource;
}

const MICRO_TIME_FIELDS = ['spec.acquireTime', 'spec.renewTime', 'eventTime', 'series.lastObservedTime'];
const MICRO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;

/** The real server refuses times of these fields that have no microseconds. */
function withMicroTimes(next: unknown): unknown {
  const wrong = MICRO_TIME_FIELDS.find((path) => {
    const time = valueAt(next, path);
    return time !== undefined && time !== null && !MICRO_TIME.test(String(time));
  });
  if (wrong === undefined) return next;
  throw new ApiStatus(
    400,
    'BadRequest',
    `${wrong}: parsing time ${valueAt(next, wrong)} as micro time failed`,
  );
}

function send(call: FakeCall, response: ServerResponse, status: number, body: unknown, headers = {}): void {
  call.status = status;
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

type Refusal = {
  readonly status: number;
  readonly reason?: string;
  readonly message?: string;
  readonly retryAfterS?: number;
};

function refuse(call: FakeCall, response: ServerResponse, refusal: Refusal): void {
  const { status, reason = 'InternalError', message = 'injected', retryAfterS } = refusal;
  const body = {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason,
    code: status,
  };
  const headers = retryAfterS === undefined ? {} : { 'retry-after': `${retryAfterS}` };
  send(call, response, status, body, headers);
}

/** Which kinds there are of a group and version. */
export function discovered(known: readonly FakeResource[], { path }: FakeCall): Answer {
  if (path === '/version') return { status: 200, body: { major: '1', minor: '36', gitVersion: 'v1.36.0' } };
  const groupVersion = path.replace(/^\/apis?\//, '');
  const served = known.filter((resource) => apiVersionOf(resource) === groupVersion);
  if (served.length === 0) throw new ApiStatus(404, 'NotFound', `the server could not find ${path}`);
  const resources = served.map(({ plural, kind, isNamespaced }) => ({
    name: plural,
    kind,
    namespaced: isNamespaced,
  }));
  return { status: 200, body: { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources } };
}
