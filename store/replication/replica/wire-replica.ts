import type { ReplicaCall } from '../types.ts';
import { Collector } from './collector.ts';
import { Damage } from './damage.ts';
import { Emptier } from './emptier.ts';
import { ExpiryCollector } from './expiry-collector.ts';
import { Gate } from './gate.ts';
import { KeyInspector } from './key-inspector.ts';
import { KeyLoader } from './key-loader.ts';
import { KeyTable } from './key-table.ts';
import { LeafScan } from './leaf-scan.ts';
import { NamespaceDropper } from './namespace-dropper.ts';
import { OwnedView } from './owned-view.ts';
import { FactKeeper, NO_FACT, type ReadFact } from './partition-facts.ts';
import { PartitionState } from './partition-state.ts';
import { RecordCache } from './record-cache.ts';
import { RecordRemover } from './record-remover.ts';
import type { ReplicaDeps, ReplicaOptions } from './replica-options.ts';
import { ReadServer } from './serve-read.ts';
import { StoreServer } from './serve-store.ts';
import { PageStore } from './store-page.ts';
import { TreeBuilder } from './tree-builder.ts';
import { Writer } from './writer.ts';

/** The parts of a replica, each made once. */
export type ReplicaParts = {
  readonly partitions: readonly PartitionState[];
  readonly owned: readonly OwnedView[];
  readonly facts: FactKeeper;
  readonly gate: Gate;
  readonly damage: Damage;
  readonly writer: Writer;
  readonly builder: TreeBuilder;
  readonly expiry: ExpiryCollector;
  readonly dropper: NamespaceDropper;
  readonly emptier: Emptier;
  readonly reads: ReadServer;
  readonly stores: StoreServer;
  readonly pages: PageStore;
};

/** `again`: lets a call pass the gate once more. */
export type WireDeps = ReplicaDeps & { readonly signal: AbortSignal; again(call: ReplicaCall): void };

export function wireReplica(
  options: ReplicaOptions,
  deps: WireDeps,
  stored: readonly ReadFact[],
): ReplicaParts {
  const { engine, onError } = deps;
  const partitions = stored.map((fact, number) => partitionOf(number, options, fact));
  const facts = new FactKeeper(engine);
  const rebuildTree = (partition: PartitionState): void => builder.rebuild(partition);
  const gate = new Gate(options, { ...deps, partitions, storageFailure: () => writer.failure });
  const damage = new Damage(options, { ...deps, rebuildTree, onTooMany: (reason) => gate.takeOut(reason) });
  const table = new KeyTable(
    { idleEntriesMax: options.versionCacheEntriesMax, treeShape: options.treeShape },
    { isDamaged: (name) => damage.has(name) },
  );
  const records = new RecordCache({ bytesMax: options.recordCacheBytes });
  const loader = new KeyLoader({ engine, damage, records });
  const inspector = new KeyInspector({ engine, table, loader, damage });
  const recheck = (partition: PartitionState, storedKey: Uint8Array): Promise<unknown> =>
    inspector.look(partition, storedKey);
  const builder = new TreeBuilder({ ...deps, damage, recheck });
  const writer = new Writer(options, {
    ...{ engine, table, records },
    onHealed: ({ name }) => damage.heal(name),
  });
  const shared = {
    ...deps,
    partitions,
    facts,
    gate,
    damage,
    table,
    records,
    loader,
    inspector,
    writer,
    rebuildTree,
  };
  const remover = new RecordRemover(shared);
  const collector = new Collector(shared);
  const expiry = new ExpiryCollector({ ...shared, collector });
  const scan = new LeafScan(options, {
    engine,
    recheck: (partition, storedKey) => recheck(partition, storedKey).catch(onError),
  });
  const ownedDeps = { ...shared, collector, expiry, scan };
  return {
    partitions,
    owned: partitions.map((partition) => new OwnedView(options, ownedDeps, partition)),
    facts,
    gate,
    damage,
    writer,
    builder,
    expiry,
    dropper: new NamespaceDropper({ ...shared, remover }),
    emptier: new Emptier(shared),
    reads: new ReadServer(options, shared),
    stores: new StoreServer(options, shared),
    pages: new PageStore(options, shared),
  };
}

function partitionOf(number: number, options: ReplicaOptions, fact: ReadFact): PartitionState {
  if (fact !== 'damaged') return new PartitionState(number, options, fact);
  const partition = new PartitionState(number, options, NO_FACT);
  partition.outReason = LOST;
  return partition;
}

const LOST =
  'what this replica promised of the partition fails its checksum: let the member rejoin with an empty data directory';
