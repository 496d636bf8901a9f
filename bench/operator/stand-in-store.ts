import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { ClusterStatus, Member, MemberInfo, Topology } from '@kvorum/client';
import { PORT_HTTP } from '../../operator/api/kvcluster.ts';
import { KVORUM_VERSION } from '../../store/version.ts';

/** Another address than those that nodes on this machine have, so that the port is free. */
export const STORE_HOST = '127.77.0.1';
const BODY_BYTES_MAX = 64 * 1024;
const DIRECTORY_DIGITS = 32;

/** One store: before it is made all of its nodes wait, and then all are members. */
type Store = {
  readonly nodes: Set<string>;
  readonly zones: Map<string, string>;
  made:
    | { readonly clusterId: string; readonly replicationFactor: number; readonly partitions: number }
    | undefined;
  epoch: number;
};

type BootstrapBody = {
  readonly clusterId: string;
  readonly replicationFactor: number;
  readonly partitions: number;
};

/**
 * All nodes of all stores as far as an operator asks them, told apart by the name that they are asked by: three hundred real ones would not fit
 * on the machine. Their answers are as long as real ones.
 */
export class StandInStores implements AsyncDisposable {
  readonly #server: Server;
  readonly #stores = new Map<string, Store>();
  readonly #onMade: (cluster: string, nodes: readonly string[]) => void;
  requests = 0;

  private constructor(onMade: (cluster: string, nodes: readonly string[]) => void) {
    this.#onMade = onMade;
    this.#server = createServer((request, response) => {
      this.requests += 1;
      void this.#answer(request, response).catch((error: unknown) => response.destroy(error as Error));
    });
    this.#server.keepAliveTimeout = 60_000;
  }

  /** `onMade` is told of each store that came to be: `namespace/name`, and the names of its nodes. */
  static async start(onMade: (cluster: string, nodes: readonly string[]) => void): Promise<StandInStores> {
    const stores = new StandInStores(onMade);
    await new Promise<void>((resolve, reject) => {
      stores.#server.once('error', reject);
      stores.#server.listen(PORT_HTTP, STORE_HOST, resolve);
    });
    return stores;
  }

  /** The pod runs. */
  addNode(cluster: string, node: string): void {
    this.#storeOf(cluster).nodes.add(node);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  #storeOf(cluster: string): Store {
    const known = this.#stores.get(cluster);
    if (known !== undefined) return known;
    const store: Store = { nodes: new Set(), zones: new Map(), made: undefined, epoch: 0 };
    this.#stores.set(cluster, store);
    return store;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // POD.NAME-peers.NAMESPACE.svc:PORT
    const [node = '', headless = '', namespace = ''] = (request.headers.host ?? '').split('.');
    const cluster = `${namespace}/${headless.replace(/-peers$/, '')}`;
    const store = this.#storeOf(cluster);
    if (!store.nodes.has(node)) return void response.destroy();
    const path = request.url?.split('?')[0] ?? '';
    const body = request.method === 'GET' ? undefined : await jsonBody(request);
    const [status, answer] = this.#route(cluster, store, node, `${request.method} ${path}`, body);
    const text = JSON.stringify(answer);
    const length = Buffer.byteLength(text);
    response.writeHead(status, { 'content-type': 'application/json', 'content-length': length });
    response.end(text);
  }

  #route(
    cluster: string,
    store: Store,
    node: string,
    call: string,
    body: unknown,
  ): readonly [number, unknown] {
    const zoneOf = /^PATCH \/v1\/members\/([^/]+)$/.exec(call)?.[1];
    if (zoneOf !== undefined) return [200, setZone(store, zoneOf, (body as { readonly zone: string }).zone)];
    switch (call) {
      case 'GET /v1/cluster':
        return [200, statusOf(store, node)];
      case 'POST /v1/cluster:bootstrap':
        return this.#bootstrap(cluster, store, body as BootstrapBody);
      case 'GET /v1/status':
        return [200, { name: node, version: '0.0.0' }];
      case 'GET /v1/topology':
        return store.made === undefined ? FORMING : [200, topologyOf(store, store.made)];
      case 'GET /v1/members':
        return store.made === undefined ? FORMING : [200, { epoch: store.epoch, members: membersOf(store) }];
      case 'GET /v1/operations':
        return store.made === undefined ? FORMING : [200, { epoch: store.epoch, operations: [] }];
      default:
        throw new Error(`the stand-in has no ${call}`);
    }
  }

  #bootstrap(cluster: string, store: Store, body: BootstrapBody): readonly [number, unknown] {
    const isNew = store.made === undefined;
    store.made ??= body;
    if (isNew) this.#onMade(cluster, [...store.nodes]);
    return [isNew ? 201 : 200, { clusterId: store.made.clusterId }];
  }
}

const FORMING = [
  503,
  { code: 'CLUSTER_FORMING', title: 'the cluster is forming', status: 503, retryable: false },
] as const;

async function jsonBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) throw new Error('a body that no operator sends');
    chunks.push(chunk);
  }
  return JSON.parse(Buffer.concat(chunks).toString()) as unknown;
}

function setZone(store: Store, member: string, zone: string): object {
  store.zones.set(member, zone);
  store.epoch += 1;
  return { epoch: store.epoch, member: numberOf(member) };
}

function statusOf({ made, nodes, epoch }: Store, name: string): ClusterStatus {
  const common = { epoch, term: 1, commitIndex: epoch, appliedIndex: epoch } as const;
  const total = nodes.size;
  const voters = [...nodes].map((node) => ({
    member: numberOf(node),
    name: node,
    liveness: 'alive' as const,
  }));
  const node = {
    name,
    state: made === undefined ? 'waiting' : 'member',
    isVoter: made !== undefined,
  } as const;
  return {
    ...common,
    node,
    ...(made !== undefined && { clusterId: made.clusterId }),
    quorum: { state: made === undefined ? 'none' : 'ok', voters, needed: 2, missing: [] },
    members: { total, alive: total, suspect: 0, dead: 0 },
  };
}

function topologyOf(store: Store, made: NonNullable<Store['made']>): Topology {
  const { clusterId, replicationFactor, partitions } = made;
  const numbers = [...store.nodes].map(numberOf);
  const replicas = (partition: number): readonly number[] =>
    Array.from({ length: replicationFactor }, (_, i) => numbers[(partition + i) % numbers.length] ?? 1);
  return {
    clusterId,
    epoch: store.epoch,
    settings: { partitions, replicationFactor },
    members: membersOf(store),
    partitions: Array.from({ length: partitions }, (_, index) => ({ replicas: replicas(index), epoch: 1 })),
    namespaces: [],
  };
}

function membersOf(store: Store): readonly MemberInfo[] {
  return [...store.nodes].map((name) => ({
    ...memberOf(store, name),
    liveness: 'alive',
    address: `${name}:7401`,
    appliedEpoch: store.epoch,
    isVoter: true,
    isLeader: numberOf(name) === 1,
  }));
}

function memberOf({ zones }: Store, name: string): Member {
  return {
    name,
    number: numberOf(name),
    directoryId: '0'.repeat(DIRECTORY_DIGITS),
    weight: 100,
    state: 'up',
    isDraining: false,
    peerAddress: `${name}:7401`,
    httpAddress: `${name}:7400`,
    zone: zones.get(name) ?? '',
    version: KVORUM_VERSION,
    incarnation: 1,
    life: '0'.repeat(DIRECTORY_DIGITS),
  };
}

/** By the ordinal of the pod. */
function numberOf(name: string): number {
  return Number(name.slice(name.lastIndexOf('-') + 1)) + 1;
}
