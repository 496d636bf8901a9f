import type { Prng } from '../../core/prng/prng.ts';
import type { Configuration } from '../../core/raft/types.ts';
import type { DiskCopy } from '../memory-disk.ts';
import { isQuorumOf } from '../raft/quorums-meet.ts';
import type { Machine } from './machine.ts';
import { pick } from './pick.ts';
import type { SimWorld } from './world.ts';

type Copy = {
  readonly machine: Machine;
  readonly disk: DiskCopy;
  readonly directoryId: string;
  readonly clusterId: string;
  readonly member: number;
  readonly incarnation: number;
  /** What the copy takes for the configuration: alone with it, a majority may not be had either. */
  readonly configuration: Configuration | undefined;
};

/**
 * Copies of disks, as backups and snapshots of volumes are, and their return. A copy is put back only where the
 * cluster can know that it is one (docs/topology.md, start): a later start of the directory is on the disks of so many other
 * voters, as committed, that no majority can be had without one of them. Before that nobody could tell.
 */
export class DiskCopies {
  readonly #copies: Copy[] = [];

  /** Copies some disk, or puts a copy back. */
  take(world: SimWorld, prng: Prng): void {
    const known = this.#copies.filter((copy) => isKnownToBeOld(world, copy));
    const copy = prng.below(2) === 0 ? pick(known, prng) : undefined;
    if (copy === undefined) this.#copy(pick(world.machines, prng));
    else if (world.canLose(copy.machine)) {
      copy.machine.replaceDisk(copy.disk);
      world.startAfter(copy.machine, prng.unit() * 2000);
    }
  }

  #copy(machine: Machine | undefined): void {
    const { identity, directoryId } = machine?.log ?? {};
    if (machine === undefined || identity === undefined || directoryId === undefined) return;
    if (machine.isRolledBack) return;
    const configuration = machine.log.configuration();
    this.#copies.push({ machine, disk: machine.disk.copy(), directoryId, configuration, ...identity });
  }
}

function isKnownToBeOld(world: SimWorld, copy: Copy): boolean {
  const { machine, clusterId, member, directoryId } = copy;
  const watch = world.watches.get(clusterId);
  const known = watch?.history.state?.members.get(member);
  if (watch === undefined || known === undefined || known.directoryId !== directoryId) return false;
  if (machine.log.directoryId !== directoryId || known.incarnation <= copy.incarnation) return false;
  const registered = watch.history.registeredAt(member, copy.incarnation + 1);
  if (registered === undefined) return false;
  const unaware = world
    .votersOf(clusterId)
    .filter(({ log }) => log.identity?.member === member || (log.durable.hardState?.commit ?? 0) < registered)
    .map(({ log }) => log.identity?.member ?? 0);
  const configurations = [...world.configurationsOf(clusterId)];
  if (copy.configuration !== undefined) configurations.push(copy.configuration);
  return configurations.every((configuration) => !isQuorumOf(configuration, new Set([...unaware, member])));
}
