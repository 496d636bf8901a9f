import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type KvLoad, startEtcdCluster } from './etcd-cluster.ts';
import { type KvorumCluster, startKvorumCluster } from './kvorum-cluster.ts';
import { LeanRespClient } from './lean-resp-client.ts';
import type { ContenderName, Point } from './peer-points.ts';
import { buildGo } from './peers.ts';
import { startRedisReplicas } from './redis-replicas.ts';

export const VALUE_BYTES = 256;
const TIMES = { electionTimeoutMs: 1000, heartbeatMs: 100 };
/** Of each contender's first load, which puts each key once. */
const FILL_CLIENTS = 64;
const WAIT_MS = 5000;
const run = promisify(execFile);

/** A way to load servers that run. */
export type Contender = {
  readonly name: ContenderName;
  /** Whether such a load can be put on it. */
  readonly takes: (point: Point) => boolean;
  /** Rejects where an answer was wrong. */
  readonly measure: (point: Point, seconds: number) => Promise<KvLoad>;
  /** Of its servers. */
  readonly pids: () => readonly number[];
  /** Absent where another contender puts in the same way. */
  readonly startPutting?: (loops: number) => Putting;
};

/** Single puts, each rejected where it is not acknowledged; of each loop one at a time. */
export type Putting = { put(loop: number, mark: string): Promise<void>; close(): void };

/** Servers, filled with all keys. */
export type Servers = { readonly contenders: readonly Contender[]; readonly stop: () => Promise<void> };

type StartOptions = {
  readonly directory: string;
  readonly keys: number;
  readonly only: readonly ContenderName[];
};

/** Starts what is wanted, one after the other; what is missing on this machine is left out, with a word on the terminal. */
export async function startServers(options: StartOptions): Promise<Servers> {
  const started: Servers[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(started.map((servers) => servers.stop()));
  };
  try {
    for (const start of [startKvorum, startEtcd, startRedis]) {
      const servers = await start(options);
      if (servers !== undefined) started.push(servers);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { contenders: started.flatMap(({ contenders }) => contenders), stop };
}

const tell = (text: string): boolean => process.stderr.write(`${text}\n`);

type RespLoaded = KvLoad & {
  /** How many answers were wrong, by what they were. */
  readonly errors: Readonly<Record<string, number>>;
};
type RespFlags = Readonly<Record<string, string | number | boolean>>;

/** Runs bench/resp-load. */
export async function runRespLoad(binary: string, flags: RespFlags): Promise<RespLoaded> {
  const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
  const { stdout } = await run(binary, args);
  return JSON.parse(stdout) as RespLoaded;
}

/** The same; a wrong answer or an error ends the benchmark. */
async function respLoad(binary: string, flags: RespFlags): Promise<KvLoad> {
  const result = await runRespLoad(binary, flags);
  if (Object.keys(result.errors).length > 0)
    throw new Error(`the load was answered ${JSON.stringify(result.errors)}`);
  return result;
}

function respFlags(point: Point, seconds: number, keys: number): Record<string, string | number> {
  return {
    ...{ clients: point.clients, depth: point.depth, seconds, 'value-bytes': VALUE_BYTES },
    ...{ keys: point.isOneKey ? 1 : keys, 'put-percent': point.kind === 'puts' ? 100 : 0 },
    ...(point.perSecond !== undefined && { rate: point.perSecond }),
  };
}

/** One cluster, loaded in three ways. */
async function startKvorum({ directory, keys, only }: StartOptions): Promise<Servers | undefined> {
  if (!only.some((name) => name.startsWith('kvorum'))) return undefined;
  const respBinary = buildGo('resp-load', `${directory}/resp-load`);
  const httpBinary = buildGo('http-load', `${directory}/http-load`);
  if (respBinary === undefined || httpBinary === undefined) return undefined;
  const cluster = await startKvorumCluster({ nodes: 3, ...TIMES, directory: `${directory}/kvorum` });
  const pids = (): readonly number[] => cluster.pids.filter((pid) => pid !== undefined);
  const endpoints = cluster.respEndpoints.join(',');
  const overResp = (name: ContenderName, route: string): Contender => ({
    ...{ name, pids, takes: () => true },
    measure: (point, seconds) =>
      respLoad(respBinary, { endpoints, route, ...respFlags(point, seconds, keys) }),
  });
  const overHttp: Contender = {
    ...{ name: 'kvorum-http', pids },
    // Clients of HTTP/1.1 do not send a request before the answer to the last one.
    takes: ({ depth, perSecond }) => depth === 1 && perSecond === undefined,
    measure: (point, seconds) => httpLoad(httpBinary, cluster, point, seconds, keys),
  };
  try {
    await cluster.allServe();
    tell(`kvorum: filling ${keys} keys`);
    const fill = { clients: FILL_CLIENTS, 'value-bytes': VALUE_BYTES, keys, fill: true };
    await respLoad(respBinary, { endpoints, route: 'owners', ...fill });
  } catch (error) {
    await cluster.stop();
    throw error;
  }
  const startPutting = respPutting(cluster.respEndpoints, []);
  const all = [{ ...overResp('kvorum', 'owners'), startPutting }, overResp('kvorum-any', 'any'), overHttp];
  return { contenders: all.filter(({ name }) => only.includes(name)), stop: () => cluster.stop() };
}

/** SET and what follows it, on a connection for each loop. */
function respPutting(
  endpoints: readonly string[],
  then: readonly (readonly string[])[],
): (loops: number) => Putting {
  return (loops) => {
    const clients = Array.from(
      { length: loops },
      (_, i) => new LeanRespClient(endpoints[i % endpoints.length] as string),
    );
    return {
      async put(loop, mark) {
        const [first, second = ':1'] =
          (await clients[loop]?.ask(['SET', `key of ${mark}`, mark], ...then)) ?? [];
        if (first !== '+OK' || !/^:[1-9]/.test(second))
          throw new Error(`SET was answered ${first}, ${second}`);
      },
      close: () => {
        for (const client of clients) client.close();
      },
    };
  };
}

async function httpLoad(
  binary: string,
  cluster: KvorumCluster,
  { kind, clients, isOneKey }: Point,
  seconds: number,
  keys: number,
): Promise<KvLoad> {
  const putPercent = kind === 'puts' ? 100 : 0;
  const endpoints = cluster.endpoints.join(',');
  const args = [endpoints, clients, seconds, putPercent, VALUE_BYTES, isOneKey ? 1 : keys];
  const { stdout } = await run(binary, args.map(String));
  const result = JSON.parse(stdout) as KvLoad & { readonly statuses: Readonly<Record<string, number>> };
  const bad = Object.keys(result.statuses).filter((status) => !['200', '204'].includes(status));
  if (bad.length > 0) throw new Error(`the load was answered ${JSON.stringify(result.statuses)}`);
  return result;
}

async function startEtcd({ directory, keys, only }: StartOptions): Promise<Servers | undefined> {
  if (!only.includes('etcd')) return undefined;
  const cluster = await startEtcdCluster({ nodes: 3, ...TIMES, directory: `${directory}/etcd` });
  if (cluster === undefined) return undefined;
  const load = { valueBytes: VALUE_BYTES, putPercent: 100 };
  const etcd: Contender = {
    name: 'etcd',
    takes: () => true,
    measure: ({ kind, clients, depth, isOneKey, perSecond }, seconds) =>
      cluster.kvLoad({
        ...load,
        ...{ clients, depth, seconds, keys: isOneKey ? 1 : keys },
        putPercent: kind === 'puts' ? 100 : 0,
        ...(perSecond !== undefined && { perSecond }),
      }),
    pids: () => cluster.members.flatMap(({ pid }) => pid ?? []),
    startPutting: () => ({
      put: (loop, mark) => cluster.put(loop % cluster.members.length, `key of ${mark}`, mark),
      close: () => {},
    }),
  };
  tell(`etcd: filling ${keys} keys`);
  await cluster.kvLoad({ ...load, clients: FILL_CLIENTS, seconds: 0, keys }).catch(async (error: unknown) => {
    await cluster.stop();
    throw error;
  });
  return { contenders: [etcd], stop: () => cluster.stop() };
}

/** All requests go to the one server that takes writes: its replicas may be behind. */
async function startRedis({ directory, keys, only }: StartOptions): Promise<Servers | undefined> {
  if (!only.includes('redis')) return undefined;
  const binary = buildGo('resp-load', `${directory}/resp-load-redis`);
  if (binary === undefined) return undefined;
  const { endpoint, pids, stop } = await startRedisReplicas({ directory: `${directory}/redis` });
  const common = { endpoints: endpoint, wait: 1 };
  const redis: Contender = {
    name: 'redis',
    takes: () => true,
    measure: (point, seconds) => respLoad(binary, { ...common, ...respFlags(point, seconds, keys) }),
    pids: () => pids,
    startPutting: respPutting([endpoint], [['WAIT', '1', String(WAIT_MS)]]),
  };
  tell(`redis: filling ${keys} keys`);
  const fill = { clients: FILL_CLIENTS, 'value-bytes': VALUE_BYTES, keys, fill: true };
  await respLoad(binary, { ...common, ...fill }).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return { contenders: [redis], stop };
}
