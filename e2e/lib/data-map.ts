import { partitionOfSlot, slotOf } from '../../store/core/ring/slot.ts';
import type { ClusterNode } from './cluster-node.ts';

type RingDocument = {
  readonly partitions: number;
  readonly members: readonly { readonly number: number; readonly name: string }[];
  readonly sets: readonly { readonly replicas: readonly number[] }[];
};

/** Which nodes own what, by their numbers in the test, the primary first. As it was when it was last read. */
export class DataMap {
  #sets: readonly (readonly number[])[];

  private constructor(sets: readonly (readonly number[])[]) {
    this.#sets = sets;
  }

  static async of(node: ClusterNode): Promise<DataMap> {
    return new DataMap(await readSets(node));
  }

  get sets(): readonly (readonly number[])[] {
    return this.#sets;
  }

  /** Partitions have moved. */
  async readAgain(node: ClusterNode): Promise<void> {
    this.#sets = await readSets(node);
  }

  ownersOf(key: string): readonly number[] {
    const partition = partitionOfSlot(slotOf(Buffer.from(key)), this.sets.length);
    return this.sets[partition] as readonly number[];
  }
}

/** A member that has gone is -1. */
async function readSets(node: ClusterNode): Promise<readonly (readonly number[])[]> {
  const answer = await node.request<RingDocument>('/v1/ring');
  if (answer.type !== 'ok') throw new Error(`${node.name} tells no ring: ${answer.detail}`);
  const { members, sets } = answer.body;
  const indexes = new Map(members.map(({ number, name }) => [number, Number(name.replace('kvorum-', ''))]));
  return sets.map(({ replicas }) => replicas.map((member) => indexes.get(member) ?? -1));
}
