import type { ClusterAdmin } from '../cluster/cluster-admin.ts';
import type { Identity } from '../cluster/data-directory.ts';
import type { TopologyReplica } from '../cluster/topology-replica.ts';
import type { Config } from '../config/settings.ts';
import type { Clock } from '../ports/clock.ts';
import { createDataStore } from '../storage/data-store.ts';
import type { Engine } from '../storage/engine.ts';
import type { KvStore } from '../storage/kv-store.ts';
import type { MetaStore } from '../storage/meta-store.ts';
import { type NamespaceTopology, openNamespaces } from '../storage/namespaces.ts';
import { startReaper } from '../storage/reaper.ts';
import type { SpaceGuard } from '../storage/space-guard.ts';
import { openVersionSource } from '../storage/version-source.ts';
import { WriteTracker } from '../storage/write-tracker.ts';

/** The data of a member that owns all partitions alone. */
export type DataService = {
  readonly store: KvStore;
  reap(): Promise<number>;
  /** Resolves once what the topology dropped so far is gone from the disk. */
  settled(): Promise<void>;
  stop(): Promise<void>;
};

export type DataServiceDeps = {
  readonly engine: Engine;
  readonly meta: MetaStore;
  readonly clock: Clock;
  readonly space: SpaceGuard;
  readonly topology: TopologyReplica;
  readonly cluster: ClusterAdmin;
  readonly signal: AbortSignal;
  /** Why the engine is used no more, if it is not. */
  engineFailure(): Error | undefined;
  onReaped(records: number): void;
  onError(error: unknown): void;
};

export async function startDataService(
  config: Config,
  { partitions, member }: Identity,
  deps: DataServiceDeps,
): Promise<DataService> {
  const { engine, meta, clock, space, onReaped, onError } = deps;
  const versions = await openVersionSource({ member, aheadMs: config['clock.aheadMs'] }, { clock, meta });
  const namespaces = await openNamespaces(
    { partitions, namespacesMax: config['limits.namespacesMax'] },
    { engine, meta, topology: namespaceTopology(deps), onError },
  );
  const tracker = new WriteTracker();
  const reaper = startReaper(
    { intervalMs: config['expiry.intervalMs'], entriesPerRoundMax: config['expiry.recordsPerRoundMax'] },
    { engine, clock, tracker, onReaped, onError },
  );
  const store = createDataStore(
    {
      partitions,
      writeBacklogBytesMax: config['storage.writeBacklogBytesMax'],
      scanExaminedMax: config['limits.scanExaminedMax'],
      scanPageBytesMax: config['limits.scanPageBytesMax'],
    },
    { engine, clock, versions, namespaces, space, tracker },
  );
  return {
    store,
    reap: () => reaper.runOnce(),
    settled: () => namespaces.settled(),
    async stop() {
      namespaces.close();
      await reaper.stop();
      await namespaces.settled();
    },
  };
}

function namespaceTopology(deps: DataServiceDeps): NamespaceTopology {
  const { topology, cluster, signal } = deps;
  /** What a failed disk does to a change is told by the disk's own error. */
  const change = async (work: Promise<unknown>): Promise<void> => {
    try {
      await work;
    } catch (error) {
      throw deps.engineFailure() ?? error;
    }
  };
  return {
    namespaces: () => topology.state?.namespaces ?? new Map(),
    nextId: () => topology.state?.nextNamespaceId ?? 0,
    create: (name) => change(cluster.createNamespace(name, signal)),
    drop: (name, id) => change(cluster.dropNamespace(name, id, signal)),
    onChange: (listener) => topology.onChange(listener),
  };
}
