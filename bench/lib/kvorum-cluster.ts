import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { freePort, ServerProcess } from '../../e2e/lib/server-process.ts';
import { LeanHttpClient } from './lean-http-client.ts';

export type KvorumClusterOptions = {
  readonly nodes: number;
  readonly electionTimeoutMs: number;
  readonly heartbeatMs: number;
  /** Holds the data directories and the logs. */
  readonly directory: string;
  /** Beside those that this needs. */
  readonly settings?: Readonly<Record<string, string | number>>;
  /** Of the node at `i`. */
  readonly environmentOf?: (i: number) => Readonly<Record<string, string>>;
  /** Of the processes, beside this one's. */
  readonly environment?: Readonly<Record<string, string>>;
};

/** What this needs of `GET /v1/cluster`. */
export type KvorumStatus = {
  readonly node: { readonly role?: string };
  readonly epoch: number;
  readonly quorum: { readonly state: string; readonly voters: readonly unknown[] };
  readonly members: { readonly alive: number; readonly suspect: number };
};

const START_DEADLINE_MS = 60_000;
const REQUEST_TIMEOUT_MS = 1000;
const ANSWER_TIMEOUT_MS = 600_000;
const CONNECTIONS = 64;
const WEIGHTS = 1000;
const REPLICAS = 3;
const CHANGE_PATH = '/v1/members/kvorum-1';

type Ports = { readonly http: number; readonly peer: number; readonly resp: number };

const freePorts = async (): Promise<Ports> => ({
  http: await freePort(),
  peer: await freePort(),
  resp: await freePort(),
});

const poolOf = ({ http }: Ports): Pool => new Pool(`http://127.0.0.1:${http}`, { connections: CONNECTIONS });

/** Starts real nodes on loopback, and waits until all of them vote. */
export async function startKvorumCluster(options: KvorumClusterOptions): Promise<KvorumCluster> {
  const ports: Ports[] = [];
  for (let i = 0; i < options.nodes; i++) ports.push(await freePorts());
  const cluster = new KvorumCluster(ports, options);
  try {
    await Promise.all(ports.map((_, i) => cluster.restart(i)));
    await cluster.allVote();
    return cluster;
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

export class KvorumCluster {
  readonly #ports: Ports[];
  /** Of those that it began with. */
  readonly #initialSize: number;
  readonly #options: KvorumClusterOptions;
  readonly #nodes: (ServerProcess | undefined)[] = [];
  readonly #pools: Pool[];
  #changes = 0;

  constructor(ports: readonly Ports[], options: KvorumClusterOptions) {
    this.#ports = [...ports];
    this.#initialSize = ports.length;
    this.#options = options;
    this.#pools = ports.map(poolOf);
  }

  /** One more, that joins; returns its place. */
  async add(): Promise<number> {
    const ports = await freePorts();
    this.#pools.push(poolOf(ports));
    const i = this.#ports.push(ports) - 1;
    await this.restart(i);
    return i;
  }

  /** Starts the node at `i`, with other settings than the cluster's where some are given. */
  async restart(i: number, settings: KvorumClusterOptions['settings'] = {}): Promise<void> {
    const { http, peer, resp } = this.#ports[i] as Ports;
    const node = ServerProcess.spawn({
      directory: `${this.#options.directory}/kvorum-${i + 1}`,
      port: http,
      settings: {
        'node.name': `kvorum-${i + 1}`,
        'peer.port': peer,
        'resp.port': resp,
        'cluster.bootstrap': String(i === 0),
        'cluster.seeds': this.#ports.map((each) => `127.0.0.1:${each.peer}`).join(','),
        'cluster.votersMax': this.#initialSize,
        'raft.electionTimeoutMs': this.#options.electionTimeoutMs,
        'raft.heartbeatMs': this.#options.heartbeatMs,
        'cluster.initialMembers': this.#initialSize,
        // ServerProcess starts nodes that are alone, with a factor of 1, where nothing else is said.
        'cluster.replicationFactor': Math.min(REPLICAS, this.#initialSize),
        'log.level': 'warn',
        ...this.#options.settings,
        ...settings,
      },
      environment: { ...this.#options.environment, ...this.#options.environmentOf?.(i) },
    });
    this.#nodes[i] = node;
    if (!(await node.waitReady(START_DEADLINE_MS)))
      throw new Error(`node ${i + 1} did not become ready; the end of its log:\n${node.logTail()}`);
  }

  async kill(i: number): Promise<void> {
    await this.#nodes[i]?.kill();
    this.#nodes[i] = undefined;
  }

  /** SIGTERM, and waits for the end. */
  async end(i: number): Promise<void> {
    await this.#nodes[i]?.stop();
    this.#nodes[i] = undefined;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#pools.map((pool) => pool.destroy()));
    await Promise.all(this.#nodes.map((_, i) => this.kill(i)));
  }

  /** Which node leads, by its own word; waits for one. */
  leader(): Promise<number> {
    return this.until('a leader', async () => {
      const statuses = await Promise.all(this.#ports.map((_, i) => this.status(i)));
      const i = statuses.findIndex((status) => status?.node.role === 'leader');
      return i < 0 ? undefined : i;
    });
  }

  async allVote(): Promise<void> {
    await this.until('all votes', async () => {
      const status = await this.status(await this.leader());
      return status?.quorum.voters.length === this.#ports.length && status.quorum.state === 'ok';
    });
  }

  async status(i: number): Promise<KvorumStatus | undefined> {
    if (this.#nodes[i] === undefined) return undefined;
    try {
      const answer = await this.#pool(i).request({
        path: '/v1/cluster',
        method: 'GET',
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      });
      const status = (await answer.body.json()) as KvorumStatus;
      return answer.statusCode === 200 ? status : undefined;
    } catch {
      return undefined;
    }
  }

  /** `host:port` of every node's HTTP interface. */
  get endpoints(): readonly string[] {
    return this.#ports.map(({ http }) => `127.0.0.1:${http}`);
  }

  /** `host:port` of every node's interface for clients of Redis. */
  get respEndpoints(): readonly string[] {
    return this.#ports.map(({ resp }) => `127.0.0.1:${resp}`);
  }

  get pids(): readonly (number | undefined)[] {
    return this.#nodes.map((node) => node?.pid);
  }

  logOf(i: number): string {
    const node = this.#nodes[i];
    if (node === undefined) throw new RangeError(`no node runs at ${i}`);
    return node.log();
  }

  /** Waits until every node that runs serves keys. */
  async allServe(): Promise<void> {
    for (const [i] of this.#ports.entries()) {
      if (this.#nodes[i] === undefined) continue;
      await this.until(`data served by node ${i + 1}`, async () => {
        const answer = await this.#pool(i).request({ path: '/readyz', method: 'GET' });
        await answer.body.dump();
        return answer.statusCode === 200;
      });
    }
  }

  /** The JSON that the node at `i` answers `GET path` with. */
  async get<T>(i: number, path: string): Promise<T> {
    return JSON.parse(await this.ask(i, 'GET', path)) as T;
  }

  /** The text that the node at `i` answers with; rejects where it does not answer 200. */
  async ask(i: number, method: 'GET' | 'POST', path: string, body?: object): Promise<string> {
    const answer = await this.#pool(i).request({
      ...{ path, method, headersTimeout: ANSWER_TIMEOUT_MS, bodyTimeout: ANSWER_TIMEOUT_MS },
      ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const text = await answer.body.text();
    if (answer.statusCode !== 200)
      throw new Error(`${method} ${path} answered ${answer.statusCode}: ${text}`);
    return text;
  }

  /** Waits until all nodes that run hold `alive` of the members for alive. */
  async allSeeAlive(alive: number): Promise<void> {
    for (const [i] of this.#ports.entries()) {
      if (this.#nodes[i] === undefined) continue;
      await this.until(`${alive} members alive, as node ${i + 1} sees it`, async () => {
        const status = await this.status(i);
        return status?.members.alive === alive && status.members.suspect === 0;
      });
    }
  }

  /** One change of the topology, through the node at `i`; rejects where it is not acknowledged. */
  async change(i: number, signal?: AbortSignal): Promise<void> {
    const answer = await this.#pool(i).request({
      path: CHANGE_PATH,
      method: 'PATCH',
      headers: { 'content-type': 'application/json' },
      body: this.#nextChange(),
      ...(signal === undefined ? {} : { signal }),
    });
    const body = await answer.body.text();
    if (answer.statusCode !== 200) throw new Error(`a change answered ${answer.statusCode}: ${body}`);
  }

  /** Changes by `clients` connections, to the node at `i`; a second. */
  async changeLoad(i: number, load: { readonly clients: number; readonly seconds: number }): Promise<number> {
    const { http } = this.#ports[i] as Ports;
    let done = 0;
    const startMs = performance.now();
    const endMs = startMs + load.seconds * 1000;
    const loop = async (): Promise<void> => {
      const client = new LeanHttpClient(http);
      for (; performance.now() < endMs; done++) {
        const status = await client.request('PATCH', CHANGE_PATH, this.#nextChange());
        if (status !== 200) throw new Error(`a change answered ${status}`);
      }
      client.close();
    };
    await Promise.all(Array.from({ length: load.clients }, loop));
    return done / ((performance.now() - startMs) / 1000);
  }

  /** Never the weight that is there already, which would be no change. */
  #nextChange(): string {
    return `{"weight":${1 + (this.#changes++ % WEIGHTS)}}`;
  }

  #pool(i: number): Pool {
    const pool = this.#pools[i];
    if (pool === undefined) throw new RangeError(`the cluster has ${this.#pools.length} nodes, none at ${i}`);
    return pool;
  }

  async until<T>(
    what: string,
    look: () => Promise<T | undefined | false>,
    waitMsMax = START_DEADLINE_MS,
  ): Promise<T> {
    const deadlineMs = performance.now() + waitMsMax;
    while (performance.now() < deadlineMs) {
      const found = await look();
      if (found !== undefined && found !== false) return found;
      await sleep(20);
    }
    throw new Error(`the kvorum cluster has not reached ${what} after ${waitMsMax} ms`);
  }
}
