import { z } from 'zod';
import type { PersistedState } from '../core/raft/types.ts';
import { LIMITS } from '../core/topology/limits.ts';
import { presentLife } from '../core/topology/succession.ts';
import type { Succession } from '../core/topology/types.ts';
import { type Random, randomHex } from '../ports/random.ts';
import { STORAGE_FORMAT } from '../storage/checksum.ts';
import type { Engine, EngineOperation } from '../storage/engine.ts';
import { deleteMeta, type MetaStore, newerFormat, putMeta } from '../storage/meta-store.ts';
import { createRaftOperations, removeRaftBatches } from '../storage/raft-store/raft-operations.ts';

/** Who the owner of a data directory is in its cluster (docs/topology.md, the phases of a node). */
export type Identity = Succession & {
  readonly clusterId: string;
  readonly member: number;
  /** Fixed when the cluster was made. */
  readonly partitions: number;
};

export type DataDirectory = {
  /** Drawn when the directory was made; 32 hexadecimal digits. */
  readonly directoryId: string;
  /** Undefined while the node is of no cluster. */
  readonly identity: Identity | undefined;
  /** The cluster that was asked for a member number: no other may be joined or made with this directory. */
  readonly joining: string | undefined;
};

const FACTS = { format: 'format', directory: 'directory', identity: 'identity', joining: 'joining' } as const;
const formatFact = z.object({ format: z.number() });
const directoryFact = z.object({ directoryId: z.string() });
const identityFact = z.object({
  clusterId: z.string(),
  member: z.number(),
  incarnation: z.number(),
  lives: z.array(z.string()),
  partitions: z.number(),
});
const joiningFact = z.object({ clusterId: z.string() });

type DirectoryDeps = { readonly engine: Engine; readonly meta: MetaStore; readonly random: Random };

/** Reads or creates the facts of a directory, and begins its next incarnation, durable when resolved. */
export async function openDataDirectory(deps: DirectoryDeps): Promise<DataDirectory> {
  const { engine, meta } = deps;
  const stored = await meta.read(FACTS.format);
  if (stored === undefined) return createDirectory(deps);
  const { format } = formatFact.parse(stored);
  if (format > STORAGE_FORMAT) throw newerFormat(`it has storage format ${format}`);
  const directory = await meta.read(FACTS.directory);
  if (directory === undefined) throw madeBeforeClusters();
  const { directoryId } = directoryFact.parse(directory);
  const identity = await beginIncarnation(deps);
  const joining = await meta.read(FACTS.joining);
  // An identity may have been given up, and a crash have come before all of its log was gone.
  if (identity === undefined)
    for (const batch of removeRaftBatches()) await engine.write(batch, { sync: true });
  return {
    directoryId,
    identity,
    joining: joining === undefined ? undefined : joiningFact.parse(joining).clusterId,
  };
}

/** Makes the directory one of a new cluster: all or nothing. */
export async function becomeFirstMember(
  engine: Engine,
  identity: Identity,
  raft: PersistedState,
): Promise<void> {
  await engine.write([putMeta(FACTS.identity, identity), ...createRaftOperations(raft)], { sync: true });
}

/** Notes which cluster is about to be asked for a number, so that a crash cannot make the directory ask two. */
export async function beginJoining(meta: MetaStore, clusterId: string): Promise<void> {
  await meta.write(FACTS.joining, { clusterId });
}

/** Makes the directory that of a member that has joined: all or nothing. */
export async function becomeMember(engine: Engine, identity: Identity, raft: PersistedState): Promise<void> {
  const operations = [
    putMeta(FACTS.identity, identity),
    deleteMeta(FACTS.joining),
    ...createRaftOperations(raft),
  ];
  await engine.write(operations, { sync: true });
}

/**
 * Gives up an identity whose promises are void (an older copy of the disk, a damaged log): the directory gets a new id,
 * so that it can only come back as a replacement, never as the member that it was.
 */
export async function giveUpIdentity(
  { engine, random }: DirectoryDeps,
  clusterId: string,
): Promise<DataDirectory> {
  const directoryId = drawId(random);
  const [records = [], ...rest] = removeRaftBatches();
  const operations: EngineOperation[] = [
    putMeta(FACTS.directory, { directoryId }),
    putMeta(FACTS.joining, { clusterId }),
    deleteMeta(FACTS.identity),
    ...records,
  ];
  await engine.write(operations, { sync: true });
  for (const batch of rest) await engine.write(batch, { sync: true });
  return { directoryId, identity: undefined, joining: clusterId };
}

/** The identity of a directory that becomes a member's: its first incarnation. */
export function firstIdentity(
  random: Random,
  { clusterId, member, partitions }: Pick<Identity, 'clusterId' | 'member' | 'partitions'>,
): Identity {
  return { clusterId, member, incarnation: 1, lives: [drawLife(random)], partitions };
}

/** The present life is registered: what came before it proves nothing any more. */
export async function forgetEarlierLives(meta: MetaStore, identity: Identity): Promise<Identity> {
  const next = { ...identity, lives: [presentLife(identity)] };
  await meta.write(FACTS.identity, next);
  return next;
}

function drawLife(random: Random): string {
  return randomHex(random, 8);
}

/** Sixteen random bytes in hexadecimal: a cluster's or a directory's id. */
export function drawId(random: Random): string {
  return randomHex(random, 16);
}

async function createDirectory({ engine, random }: DirectoryDeps): Promise<DataDirectory> {
  const directoryId = drawId(random);
  const facts = [
    putMeta(FACTS.format, { format: STORAGE_FORMAT }),
    putMeta(FACTS.directory, { directoryId }),
  ];
  await engine.write(facts, { sync: true });
  return { directoryId, identity: undefined, joining: undefined };
}

async function beginIncarnation({ meta, random }: DirectoryDeps): Promise<Identity | undefined> {
  const stored = await meta.read(FACTS.identity);
  if (stored === undefined) return undefined;
  const identity = identityFact.parse(stored);
  const lives = [...identity.lives, drawLife(random)].slice(-LIMITS.livesMax);
  const next = { ...identity, incarnation: identity.incarnation + 1, lives };
  await meta.write(FACTS.identity, next);
  return next;
}

function madeBeforeClusters(): Error {
  return new Error(
    'this data directory was made by version 0.1, which knew no clusters; ' +
      'export its data with that version and import it into a new directory',
  );
}
