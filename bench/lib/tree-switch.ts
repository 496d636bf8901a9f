import { PartitionTree } from '../../store/replication/replica/partition-tree.ts';

/**
 * For `node --import`: SIGUSR2 makes the updates of Merkle trees do nothing, and again makes them work. A node that was
 * switched off so must not compare its trees with anybody's any more.
 */
const update = PartitionTree.prototype.update;
process.on('SIGUSR2', () => {
  PartitionTree.prototype.update = PartitionTree.prototype.update === update ? () => {} : update;
});
