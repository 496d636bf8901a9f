import assert from 'node:assert/strict';
import { type ClusterOptions, Redis, Cluster as RedisCluster } from 'ioredis';
import { services } from '../../operator/kube/resources.ts';
import { RespConnection } from '../lib/resp-connection.ts';
import { until } from './kubectl.ts';
import type { KvCluster } from './kv-cluster.ts';
import type { Scene } from './scenario.ts';

/** Clients of Redis within Kubernetes. */

const TIMEOUT_MS = 10_000;
const RESP_PORT = 6379;
const KEYS = 60;

/** Without cluster mode, through the client Service. The caller ends it. */
export async function respClient(scene: Scene, cluster: KvCluster, password?: string): Promise<Redis> {
  const redis = new Redis({
    host: await serviceHost(scene, cluster),
    ...(password !== undefined && { username: 'default', password }),
    ...{ commandTimeout: TIMEOUT_MS, maxRetriesPerRequest: 1, retryStrategy: () => null },
  });
  return redis.on('error', () => undefined);
}

/** What a client without a token is told that sets a key. A client of a library closes a connection that lets it do nothing. */
export async function respAnswerToStranger(scene: Scene, cluster: KvCluster): Promise<unknown> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const connection = await RespConnection.open(await serviceHost(scene, cluster), RESP_PORT, signal);
  try {
    return (await connection.run([['SET', 'by', 'nobody']], signal))[0];
  } finally {
    connection.close();
  }
}

/**
 * In cluster mode: the members are told of by names that pods resolve to the addresses of the pods, and each key goes to its owner, of
 * whom all three are some.
 */
export async function respClusterMode(scene: Scene, cluster: KvCluster): Promise<void> {
  const names = await advertised(scene, cluster);
  const addresses = new Map<string, string>();
  for (const { metadata, status } of await cluster.pods()) {
    const name = `${metadata.name}.${cluster.name}-peers.${scene.kubectl.namespace}.svc`;
    assert.ok(names.includes(name), `${name} is not in CLUSTER SLOTS: ${names.join(', ')}`);
    addresses.set(name, status?.podIP ?? '');
    assert.equal(await resolvedIn(scene, 'demo-0', name), status?.podIP, `what a pod takes ${name} for`);
  }
  await useAsCluster(await serviceHost(scene, cluster), addresses);
}

async function advertised(scene: Scene, cluster: KvCluster): Promise<readonly string[]> {
  const redis = await respClient(scene, cluster);
  try {
    type Slots = readonly (readonly [number, number, readonly [string, number, string]])[];
    const slots = (await redis.cluster('SLOTS')) as unknown as Slots;
    for (const [, , [host, port]] of slots) assert.equal(port, RESP_PORT, `port of ${host}`);
    return [...new Set(slots.map(([, , [host]]) => host))].toSorted();
  } finally {
    redis.disconnect();
  }
}

/** This process is in the network of the pods and does not ask their name server. */
async function useAsCluster(host: string, addresses: ReadonlyMap<string, string>): Promise<void> {
  const known = [...addresses].map(([name, address]) => [
    `${name}:${RESP_PORT}`,
    { host: address, port: RESP_PORT },
  ]);
  const natMap = Object.fromEntries(known) as ClusterOptions['natMap'];
  const redis = new RedisCluster([{ host }], {
    ...{ natMap, redisOptions: { commandTimeout: TIMEOUT_MS } },
    clusterRetryStrategy: () => null,
  });
  const trouble: string[] = [];
  redis.on('error', ({ message }: Error) => trouble.push(message));
  try {
    const keys = Array.from({ length: KEYS }, (_, i) => `resp:${i}`);
    for (const key of keys) assert.equal(await redis.set(key, `value of ${key}`), 'OK');
    for (const key of keys) assert.equal(await redis.get(key), `value of ${key}`);
    assert.equal(redis.nodes('master').length, addresses.size, 'nodes that the client speaks to');
    assert.deepEqual(trouble, []);
  } finally {
    redis.disconnect();
  }
}

async function resolvedIn({ kubectl }: Scene, pod: string, name: string): Promise<string> {
  const program =
    'require("node:dns").lookup(process.argv[1], (error, address) => console.log(error ?? address))';
  const run = ['exec', pod, '--container', 'kvorum', '--', 'node', '-e', program, name];
  return (await kubectl.run(...run)).trim();
}

async function serviceHost({ kube, kubectl }: Scene, { name }: KvCluster): Promise<string> {
  const service = await kube.get(services, { namespace: kubectl.namespace, name });
  const host = service?.spec?.clusterIP;
  assert.ok(host !== undefined, `there is no Service ${name}`);
  // Pods that are ready are behind it a moment later.
  await until('the Service lets clients of Redis in', TIMEOUT_MS, () => isOpen(host));
  return host;
}

async function isOpen(host: string): Promise<true | undefined> {
  try {
    (await RespConnection.open(host, RESP_PORT, AbortSignal.timeout(TIMEOUT_MS))).close();
    return true;
  } catch {
    return undefined;
  }
}
