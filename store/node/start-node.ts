import type { Config } from '../config/settings.ts';
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import type { Transport } from '../ports/transport.ts';
import { createDataStore } from '../storage/data-store.ts';
import { type Engine, EngineFailedError } from '../storage/engine.ts';
import { failStop } from '../storage/fail-stop.ts';
import type { KvStore } from '../storage/kv-store.ts';
import { createMetaStore } from '../storage/meta-store.ts';
import { openNamespaces } from '../storage/namespaces.ts';
import { startReaper } from '../storage/reaper.ts';
import { startSpaceGuard } from '../storage/space-guard.ts';
import { openVersionSource } from '../storage/version-source.ts';
import { WriteTracker } from '../storage/write-tracker.ts';
import { type Identity, openDataDirectory } from './data-directory.ts';

/** The world of a node; each port has a real form in io/ and one that can fail in sim/. */
export type NodePorts = {
  readonly clock: Clock;
  readonly transport: Transport;
  readonly engine: Engine;
  readonly random: Random;
};

/** What a node tells about itself while it runs; both may be called at any time. */
export type NodeEvents = {
  /** The storage failed: nothing is served any more, and the process should end. Called once. */
  onStorageFailed(error: EngineFailedError): void;
  onReaped(records: number): void;
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
  readonly identity: Identity;
  readonly store: KvStore;
  /** Why the node may not be sent requests; all are ok when it may. */
  readiness(): readonly ReadinessCheck[];
  storage(): StorageStatus;
  /** Removes what has expired or was deleted now, instead of at the next round. */
  reap(): Promise<number>;
  /** Ends background work and closes the ports. Requests must have ended before. */
  stop(): Promise<void>;
};

/** The only way to make a node, in production and in the simulator. Throws where the data directory is not usable. */
export async function startNode(config: Config, ports: NodePorts, events: NodeEvents): Promise<KvorumNode> {
  const { clock, random, transport } = ports;
  let failure: EngineFailedError | undefined;
  const engine = failStop(ports.engine, (error) => {
    failure = error;
    events.onStorageFailed(error);
  });
  const meta = createMetaStore(engine);
  const identity = await openDataDirectory(
    { partitions: config['cluster.partitions'] },
    { engine, meta, random },
  );
  const versions = await openVersionSource(
    { member: identity.member, aheadMs: config['clock.aheadMs'] },
    { clock, meta },
  );
  const namespaces = await openNamespaces(
    { partitions: identity.partitions, namespacesMax: config['limits.namespacesMax'] },
    { engine, meta, nowMs: clock.nowMs() },
  );
  const space = await startSpaceGuard(
    { reserveBytes: config['storage.reserveBytes'], checkIntervalMs: config['storage.spaceCheckMs'] },
    { clock, freeBytes: () => engine.freeBytes() },
  );
  const tracker = new WriteTracker();
  const onError = (error: unknown): void => {
    if (!(error instanceof EngineFailedError)) events.onBackgroundError(error);
  };
  const reaper = startReaper(
    { intervalMs: config['expiry.intervalMs'], entriesPerRoundMax: config['expiry.recordsPerRoundMax'] },
    { engine, clock, tracker, onReaped: events.onReaped, onError },
  );

  const store = createDataStore(
    {
      partitions: identity.partitions,
      writeBacklogBytesMax: config['storage.writeBacklogBytesMax'],
      scanExaminedMax: config['limits.scanExaminedMax'],
      scanPageBytesMax: config['limits.scanPageBytesMax'],
    },
    {
      engine,
      clock,
      versions,
      namespaces,
      space,
      tracker,
    },
  );
  const storage = (): StorageStatus => {
    const { isFull, freeBytes, reserveBytes } = space.state;
    return {
      engine: engine.name,
      state: failure ? 'failed' : isFull ? 'full' : 'ok',
      freeBytes,
      reserveBytes,
    };
  };

  return {
    identity,
    store,
    storage,
    // A full disk keeps the node ready: it serves reads and deletes, and says 507 to the rest.
    readiness: () => [
      failure
        ? { name: 'storage', ok: false, reason: `the storage failed: ${failure.message}` }
        : { name: 'storage', ok: true },
    ],
    reap: () => reaper.runOnce(),
    async stop() {
      space.close();
      await reaper.stop();
      await transport.close();
      await engine.close();
    },
  };
}
