import { configurationOf } from '../core/raft/configuration.ts';
import { type PersistedState, plus, toTerm } from '../core/raft/types.ts';
import { encodeState } from '../core/topology/codec.ts';
import { type Recovery, type RecoveryLoss, recoverTopology } from '../core/topology/recover.ts';
import type { Epoch, TopologyState } from '../core/topology/types.ts';
import type { Random } from '../ports/random.ts';
import type { Engine } from '../storage/engine.ts';
import { createMetaStore } from '../storage/meta-store.ts';
import { scanEntries } from '../storage/raft-store/entry-scan.ts';
import { type LoadedRaft, loadRaft } from '../storage/raft-store/load-raft.ts';
import { raftKeys, TOPOLOGY_GROUP } from '../storage/raft-store/raft-keys.ts';
import { becomeMember, drawId, type Identity, openDataDirectory } from './data-directory.ts';
import {
  type LogPosition,
  type ReadableTopology,
  readTopology,
  type UncertainChange,
} from './readable-topology.ts';

/**
 * Recovery by hand of a stopped node's data directory, when the majority of the voters is gone for good: looking
 * (`planRecovery`) writes nothing; doing it (`carryOutRecovery`) is one atomic write.
 */
export type RecoveryPlan = {
  readonly report: RecoveryReport;
  /** Of the new cluster. */
  readonly identity: Identity;
  readonly raft: PersistedState;
  readonly topology: TopologyState;
};

/** What the survivor knows, and what going on without the others costs. */
export type RecoveryReport = {
  /** Of the old cluster. */
  readonly clusterId: string;
  readonly member: { readonly number: number; readonly name: string };
  readonly epoch: Epoch;
  readonly log: LogPosition;
  readonly uncertain: readonly UncertainChange[];
  /** By name, of the last configuration in the log. */
  readonly voters: readonly string[];
  /** The log is whole and nobody else is needed for a decision: it is enough to start the node. */
  readonly decidesAlone: boolean;
  /** Placed ones; 0 where the cluster has no data yet. */
  readonly partitions: number;
  readonly lost: RecoveryLoss;
};

export type RecoverDirectoryErrorCode = 'NO_CLUSTER' | 'NO_TOPOLOGY' | 'WRONG_CONFIRMATION';

export class RecoverDirectoryError extends Error {
  override readonly name = 'RecoverDirectoryError';
  readonly code: RecoverDirectoryErrorCode;

  constructor(code: RecoverDirectoryErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

type RecoverDeps = { readonly engine: Engine; readonly random: Random };

/** Throws RecoverDirectoryError, TopologyRecoveryError, or TopologyFormatError where a newer version wrote the log. */
export async function planRecovery({ engine, random }: RecoverDeps): Promise<RecoveryPlan> {
  const old = await readIdentity({ engine, random });
  const loaded = await loadLog(engine);
  const known = readTopology(loaded);
  if (known === undefined)
    throw noTopology(old, loaded.type === 'damaged' ? loaded.reason : 'it never arrived');
  const identity: Identity = { ...old, clusterId: drawId(random) };
  const recovery = recoverTopology(known.topology, {
    clusterId: identity.clusterId,
    survivor: identity.member,
  });
  return {
    report: reportOf(old, known, recovery),
    identity,
    raft: logAfter(known, identity, recovery.state),
    topology: recovery.state,
  };
}

/**
 * Makes the directory that of the only member of the new cluster: all or nothing, durable when resolved. `confirm` must
 * repeat the id of the old cluster: that is how a person says that this directory, and no other, is meant.
 */
export async function carryOutRecovery(
  engine: Engine,
  { report, identity, raft }: RecoveryPlan,
  confirm: string,
): Promise<void> {
  if (confirm !== report.clusterId)
    throw new RecoverDirectoryError(
      'WRONG_CONFIRMATION',
      `--confirm is '${confirm}', and this directory is of the cluster ${report.clusterId}; ` +
        'nothing was changed: repeat that id where this is the directory that you mean',
    );
  await becomeMember(engine, identity, raft);
}

/** As the next start would, and keeps nothing of what a start writes. */
async function readIdentity({ engine, random }: RecoverDeps): Promise<Identity> {
  const unwritten = withoutWrites(engine);
  const directory = await openDataDirectory({ engine: unwritten, meta: createMetaStore(unwritten), random });
  const { identity, joining } = directory;
  if (identity !== undefined) return identity;
  throw new RecoverDirectoryError(
    'NO_CLUSTER',
    joining === undefined
      ? 'this directory is of no cluster: there is nothing to recover; give the directory of a member'
      : `this directory has no member number: it was asking the cluster ${joining} for one, and has no topology; ` +
          'give the directory of a member',
  );
}

/** Of a damaged log the entries behind the snapshot: those before it are of no use, damaged or not. */
async function loadLog(engine: Engine): Promise<LoadedRaft> {
  const keys = raftKeys(TOPOLOGY_GROUP);
  const { loaded } = await loadRaft(engine, keys);
  if (loaded.type !== 'damaged' || loaded.snapshot === undefined || loaded.lastIndex === undefined)
    return loaded;
  await using view = engine.openView({ reverse: false });
  const bounds = { first: plus(loaded.snapshot.index, 1), last: loaded.lastIndex };
  const { entries } = await scanEntries(view, keys, bounds);
  return { ...loaded, entries };
}

function withoutWrites(engine: Engine): Engine {
  return {
    name: engine.name,
    get: (key) => engine.get(key),
    getMany: (keys) => engine.getMany(keys),
    write: async () => {},
    submit: (_batch, _options, onEnd) => queueMicrotask(() => onEnd(undefined)),
    openView: (options) => engine.openView(options),
    readEntries: (range, bytesMax) => engine.readEntries(range, bytesMax),
    freeBytes: () => engine.freeBytes(),
    close: () => engine.close(),
  };
}

function noTopology({ clusterId, member }: Identity, reason: string): RecoverDirectoryError {
  return new RecoverDirectoryError(
    'NO_TOPOLOGY',
    `this directory is of member ${member} of the cluster ${clusterId}, and no topology can be read from it: ${reason}; ` +
      'recover from the directory of another member',
  );
}

function reportOf(
  { clusterId, member }: Identity,
  { topology, configuration, position, uncertain }: ReadableTopology,
  { lost }: Recovery,
): RecoveryReport {
  const nameOf = (number: number): string => topology.members.get(number)?.name ?? `member ${number}`;
  const voters = [...new Set([...configuration.voters, ...configuration.votersOutgoing])];
  return {
    clusterId,
    member: { number: member, name: nameOf(member) },
    epoch: topology.epoch,
    log: position,
    uncertain,
    voters: voters.map(nameOf),
    decidesAlone: position.damage === undefined && voters.length === 1 && voters[0] === member,
    partitions: topology.partitions.length,
    lost,
  };
}

/** Above whatever the old log held, so that none of its remains can be taken for part of this one. */
function logAfter(
  { position }: ReadableTopology,
  { member }: Identity,
  topology: TopologyState,
): PersistedState {
  const index = plus(position.last, 1);
  const term = toTerm(position.term + 1);
  return {
    hardState: { term, vote: undefined, commit: index },
    snapshot: { index, term, configuration: configurationOf([member]), data: encodeState(topology) },
    entries: [],
    applied: index,
  };
}
