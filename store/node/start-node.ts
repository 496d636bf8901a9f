import { createClusterAdmin } from '../cluster/admin.ts';
import type { ClusterAdmin, ClusterStatus } from '../cluster/cluster-admin.ts';
import { ClusterNode } from '../cluster/cluster-node.ts';
import type { ClusterEvents } from '../cluster/cluster-node-options.ts';
import { openDataDirectory } from '../cluster/data-directory.ts';
import { peerHandlers } from '../cluster/peer-handlers.ts';
import { settingsAs } from '../config/live-config.ts';
import type { Config } from '../config/settings.ts';
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import type { Resolver } from '../ports/resolver.ts';
import type { Transport } from '../ports/transport.ts';
import type { DataAdmin } from '../replication/data-admin.ts';
import { type Engine, EngineFailedError } from '../storage/engine.ts';
import { failStop } from '../storage/fail-stop.ts';
import type { KvStore } from '../storage/kv-store.ts';
import { createMetaStore } from '../storage/meta-store.ts';
import { openRaftStore } from '../storage/raft-store/raft-store.ts';
import { startSpaceGuard } from '../storage/space-guard.ts';
import { startAloneService } from './alone-service.ts';
import { clusterOptions } from './cluster-options.ts';
import { type DataEvents, NO_DATA_EVENTS } from './data-events.ts';
import type { DataServiceDeps } from './data-service.ts';
import { MemberData } from './member-data.ts';
import { startReplicatedService } from './replicated-service.ts';
import { unplacedStore } from './unplaced-store.ts';

/** The world of a node; each port has a real form in io/ and one that can fail in sim/. */
export type NodePorts = {
  readonly clock: Clock;
  readonly transport: Transport;
  readonly resolver: Resolver;
  readonly engine: Engine;
  readonly random: Random;
  /** Calls `work` soon, after what else runs in this turn. */
  readonly defer: (work: () => void) => void;
};

/** What a node tells about itself while it runs; all may be called at any time. */
export type NodeEvents = Pick<ClusterEvents, 'onNotice' | 'onRefused' | 'onProposed'> & {
  /** The storage failed: nothing is served any more, and the process should end. Called once. */
  onStorageFailed(error: EngineFailedError): void;
  /** An invariant of the consensus is broken: the process should end. */
  onConsensusFailed(error: unknown): void;
  /** The phase of the node in its cluster, or the reason of it, changed. */
  onPhase(status: ClusterStatus): void;
  onReaped(records: number): void;
  /** What replicated data tells; nobody listens where absent. */
  readonly data?: DataEvents;
  /** Background work failed and will be tried again. */
  onBackgroundError(error: unknown): void;
};

export type ReadinessCheck = {
  readonly name: string;
  readonly ok: boolean;
  readonly reason?: string | undefined;
};

export type StorageStatus = {
  readonly engine: string;
  readonly state: 'ok' | 'full' | 'failed';
  readonly freeBytes: number | undefined;
  readonly reserveBytes: number;
};

export type KvorumNode = {
  readonly store: KvStore;
  /** Undefined while nothing is placed, or this node is no member. */
  readonly data: () => DataAdmin | undefined;
  readonly cluster: ClusterAdmin;
  /** For the metrics, and for checkers. */
  readonly internals: ClusterNode;
  /** Why the node may not be sent requests; all are ok when it may. */
  readiness(): readonly ReadinessCheck[];
  storage(): StorageStatus;
  /** How busy this node is, 0 to 1; gossip tells the others. */
  reportLoad(load: number): void;
  /** Removes what has expired or was deleted now, instead of at the next round. */
  reap(): Promise<number>;
  /** Resolves once what this node has learned so far has taken effect, e.g. that its data is served. */
  settled(): Promise<void>;
  /** Hands over what it leads, ends background work and closes the ports. Requests must have ended before. */
  stop(): Promise<void>;
};

/**
 * The only way to make a node, in production and in the simulator. Throws where the data directory is not usable; the
 * engine is then the caller's to close.
 */
export async function startNode(config: Config, ports: NodePorts, events: NodeEvents): Promise<KvorumNode> {
  const { clock, random, transport, resolver } = ports;
  let failure: EngineFailedError | undefined;
  const engine = failStop(ports.engine, (error) => {
    failure = error;
    events.onStorageFailed(error);
  });
  const onBackgroundError = (error: unknown): void => {
    if (!(error instanceof EngineFailedError)) events.onBackgroundError(error);
  };
  const onFailed = (error: unknown): void => {
    if (!(error instanceof EngineFailedError)) events.onConsensusFailed(error);
  };
  const meta = createMetaStore(engine);
  const directory = await openDataDirectory({ engine, meta, random });
  const raftStore = openRaftStore({ engine });
  const loaded = await raftStore.load();
  const space = await startSpaceGuard(
    settingsAs(config, { reserveBytes: 'storage.reserveBytes', checkIntervalMs: 'storage.spaceCheckMs' }),
    { clock, freeBytes: () => engine.freeBytes() },
  );
  const stopping = new AbortController();
  const node: ClusterNode = new ClusterNode(
    clusterOptions(config),
    {
      clock,
      random,
      transport,
      resolver,
      engine,
      meta,
      raftStore,
      events: {
        ...events,
        onFailed,
        onBackgroundError,
        onPhase() {
          events.onPhase(cluster.status());
          data.follow();
        },
        onProgress: () => data.follow(),
      },
    },
    directory,
  );
  const cluster = createClusterAdmin(node, {
    clock,
    reserveBytes: () => config['storage.reserveBytes'],
    reports: async () => (await data.service?.progress?.reports()) ?? new Map(),
  });
  const data: MemberData = new MemberData({
    clock,
    node,
    onError: onBackgroundError,
    unplaced: (member) => unplacedStore(member, cluster, stopping.signal),
    open(kind, member) {
      const deps: DataServiceDeps = {
        ...{ config, member, cluster, engine, meta, clock, random, transport, space },
        defer: ports.defer,
        signal: stopping.signal,
        engineFailure: () => failure,
        events: events.data ?? NO_DATA_EVENTS,
        onReaped: events.onReaped,
        onError: onBackgroundError,
      };
      return kind === 'alone' ? startAloneService(deps) : startReplicatedService(deps);
    },
  });
  const stop = async (): Promise<void> => {
    stopping.abort();
    space.close();
    await data.stop();
    await node.stop();
    await transport.close();
  };
  try {
    await transport.start(peerHandlers(node, () => data.service?.peers));
    await node.start(loaded);
    await data.start();
  } catch (error) {
    await stop();
    throw error;
  }

  const storage = (): StorageStatus => {
    const { isFull, freeBytes, reserveBytes } = space.state;
    const state = failure ? 'failed' : isFull ? 'full' : 'ok';
    return { engine: engine.name, state, freeBytes, reserveBytes };
  };
  return {
    store: data.store,
    data: () => data.service?.admin,
    cluster,
    internals: node,
    storage,
    readiness: () => [
      storageCheck(failure),
      clusterCheck(cluster.status()),
      { name: 'data', ...data.readiness() },
    ],
    reportLoad: (load) => node.member?.gossip.updateSelf({ load }),
    reap: () => data.reap(),
    settled: () => data.settled(),
    async stop() {
      await stop();
      await engine.close();
    },
  };
}

/** A full disk keeps the node ready: it serves reads and deletes, and says 507 to the rest. */
function storageCheck(failure: EngineFailedError | undefined): ReadinessCheck {
  if (failure === undefined) return { name: 'storage', ok: true };
  return { name: 'storage', ok: false, reason: `the storage failed: ${failure.message}` };
}

function clusterCheck({ node, quorum }: ClusterStatus): ReadinessCheck {
  const name = 'cluster';
  if (node.state !== 'member') return { name, ok: false, reason: `${node.state}: ${node.reason}` };
  if (quorum.state === 'ok') return { name, ok: true };
  const ok = quorum.state === 'degraded';
  return { name, ok, reason: quorum.reason };
}
