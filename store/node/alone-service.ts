import { settingsAs } from '../config/live-config.ts';
import { DEFAULT_SHAPE } from '../core/merkle/tree-shape.ts';
import { takeTrees } from '../replication/replica/tree-file.ts';
import { createDataStore } from '../storage/data-store.ts';
import { openNamespaces } from '../storage/namespaces.ts';
import { startReaper } from '../storage/reaper.ts';
import { openVersionSource } from '../storage/version-source.ts';
import { WriteTracker } from '../storage/write-tracker.ts';
import { aloneAdmin } from './alone-admin.ts';
import type { DataService, DataServiceDeps } from './data-service.ts';
import { namespaceTopology } from './namespace-topology.ts';

/**
 * The data of the only member of a cluster: every replica set is this node, so a write is acknowledged by its own disk, and
 * a tombstone is proven to be everywhere as soon as it is durable.
 */
export async function startAloneService(deps: DataServiceDeps): Promise<DataService> {
  const { config, member, engine, meta, clock, space, onReaped, onError } = deps;
  const { partitions } = member.options.identity;
  const versions = await openVersionSource(
    { member: member.number, aheadMs: config['clock.aheadMs'] },
    { clock, meta },
  );
  const namespaces = await openNamespaces(
    { partitions, namespacesMax: config['limits.namespacesMax'] },
    { engine, meta, topology: namespaceTopology({ ...deps, topology: member.topology }), onError },
  );
  // What is written here is in no tree: those of a time with other members must not be taken for it later.
  await takeTrees(DEFAULT_SHAPE, { engine, meta });
  const tracker = new WriteTracker();
  const reaper = startReaper(
    settingsAs(config, {
      intervalMs: 'expiry.intervalMs',
      entriesPerRoundMax: 'expiry.recordsPerRoundMax',
    }),
    { engine, clock, tracker, onReaped, onError },
  );
  const store = createDataStore(
    settingsAs(
      config,
      {
        writeBacklogBytesMax: 'storage.writeBacklogBytesMax',
        scanExaminedMax: 'limits.scanExaminedMax',
        scanPageBytesMax: 'limits.scanPageBytesMax',
      },
      { partitions },
    ),
    { engine, clock, versions, namespaces, space, tracker },
  );
  return {
    store,
    admin: aloneAdmin({ ...deps, namespaces }),
    progress: undefined,
    peers: undefined,
    readiness: () => ({ ok: true }),
    reap: () => reaper.runOnce(),
    settled: () => namespaces.settled(),
    async stop() {
      namespaces.close();
      await reaper.stop();
      await namespaces.settled();
      // Who serves the data next reads what is on the disk, and must miss no write that is on its way there.
      await tracker.close();
    },
  };
}
