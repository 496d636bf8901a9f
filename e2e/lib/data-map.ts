import { partitionOfSlot, slotOf } from '../../store/core/ring/slot.ts';
import type { ClusterNode } from './cluster-node.ts';

type RingDocument = {
  readonly partitions: number;
  readonly members: readonly { readonly number: number; readonly name: string }[];
  readonly sets: readonly { readonly replicas: readonly number[] }[];
};

/** Which nodes own what, by their numbers in the test, the primary first. It stands still while nothing moves data. */
export class DataMap {
  readonly sets: readonly (readonly number[])[];

  private constructor(sets: readonly (readonly number[])[]) {
    this.sets = sets;
  }

  static async of(node: ClusterNode): Promise<DataMap> {
    const answer = await node.request<RingDocument>('/v1/ring');
    if (answer.type !== 'ok') throw new Error(`${node.name} tells no ring: ${answer.detail}`);
    const { members, sets } = answer.body;
    const indexes = new Map(members.map(({ number, name }) => [number, Number(name.replace('kvorum-', ''))]));
    return new DataMap(sets.map(({ replicas }) => replicas.map((member) => indexes.get(member) as number)));
  }

  ownersOf(key: string): readonly number[] {
    const partition = partitionOfSlot(slotOf(Buffer.from(key)), this.sets.length);
    return this.sets[partition] as readonly number[];
  }
}
