import { Pool } from 'undici';
import { type EtcdCluster, startEtcdCluster } from './etcd-cluster.ts';
import { type FailoverSystem, waitFor } from './failover.ts';
import { startKvorumCluster } from './kvorum-cluster.ts';

export type ClusterSizes = {
  readonly nodes: number;
  readonly electionTimeoutMs: number;
  readonly heartbeatMs: number;
  readonly directory: string;
};

export type StoppableSystem = FailoverSystem & { stop(): Promise<void> };

export async function kvorumSystem(sizes: ClusterSizes): Promise<StoppableSystem> {
  const cluster = await startKvorumCluster(sizes);
  return {
    nodes: sizes.nodes,
    leader: () => cluster.leader(),
    kill: (i) => cluster.kill(i),
    restart: (i) => cluster.restart(i),
    async caughtUp(i) {
      const { epoch } = (await cluster.status(await cluster.leader())) ?? { epoch: Number.POSITIVE_INFINITY };
      await waitFor(`kvorum-${i + 1} at epoch ${epoch}`, async () => {
        const status = await cluster.status(i);
        return status !== undefined && status.epoch >= epoch;
      });
    },
    change: (i, signal) => cluster.change(i, signal),
    stop: () => cluster.stop(),
  };
}

/** Changes go through etcd's JSON interface, so that the same client asks both. */
export async function etcdSystem(sizes: ClusterSizes): Promise<StoppableSystem | undefined> {
  const cluster = await startEtcdCluster(sizes);
  if (cluster === undefined) return undefined;
  const pools = cluster.members.map(({ url }) => new Pool(url, { connections: 32 }));
  let changes = 0;
  return {
    nodes: sizes.nodes,
    leader: () => cluster.leader(),
    kill: (i) => cluster.kill(i),
    restart: (i) => cluster.restart(i),
    caughtUp: (i) => etcdCaughtUp(cluster, i),
    change: (i, signal) => putOverJson(pools[i] as Pool, changes++, signal),
    async stop() {
      await Promise.all(pools.map((pool) => pool.destroy()));
      await cluster.stop();
    },
  };
}

async function etcdCaughtUp(cluster: EtcdCluster, i: number): Promise<void> {
  const index = (await cluster.appliedIndex(await cluster.leader())) ?? Number.POSITIVE_INFINITY;
  await waitFor(`etcd member ${i + 1} at index ${index}`, async () => {
    return ((await cluster.appliedIndex(i)) ?? 0) >= index;
  });
}

async function putOverJson(pool: Pool, value: number, signal: AbortSignal): Promise<void> {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const answer = await pool.request({
    path: '/v3/kv/put',
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ key: base64('weight'), value: base64(String(value)) }),
    signal,
  });
  const body = await answer.body.text();
  if (answer.statusCode !== 200) throw new Error(`a put answered ${answer.statusCode}: ${body}`);
}
