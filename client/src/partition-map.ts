import { KvorumProtocolError } from './errors.ts';
import { SLOT_COUNT, slotOf } from './slot.ts';
import { arrayIn, type Json, numberIn, stringIn } from './wire.ts';

/** Who owns what, as `GET /v1/ring` tells it. */
export type PartitionMap = {
  readonly clusterId: string;
  readonly epoch: number;
  readonly replicationFactor: number;
  readonly members: readonly RingMember[];
  /** The numbers of the members of each partition, the primary first; empty until they are placed. */
  readonly sets: readonly (readonly number[])[];
};

export type RingMember = {
  readonly number: number;
  readonly name: string;
  /** `host:port`, or `https://host:port` */
  readonly httpAddress: string;
  readonly zone: string;
  readonly isUp: boolean;
};

/** Throws KvorumProtocolError for what is no ring. */
export function partitionMapOf(json: Json, clusterId: string): PartitionMap {
  const sets = arrayIn(json, 'sets').map(replicasOf);
  if (sets.length > 0 && SLOT_COUNT % sets.length !== 0)
    throw new KvorumProtocolError(`${sets.length} partitions do not share ${SLOT_COUNT} slots evenly`);
  return {
    clusterId,
    epoch: numberIn(json, 'epoch'),
    replicationFactor: numberIn(json, 'replicationFactor'),
    members: arrayIn(json, 'members').map(memberOf),
    sets,
  };
}

/** The owners of `key`, the primary first; empty where the partitions are not placed. */
export function ownersOf(ring: PartitionMap, key: Uint8Array): readonly number[] {
  const count = ring.sets.length;
  return count === 0 ? [] : ring.sets[Math.floor(slotOf(key) / (SLOT_COUNT / count))]!;
}

function replicasOf(json: Json): readonly number[] {
  const { replicas } = json;
  if (Array.isArray(replicas) && replicas.every((number) => typeof number === 'number')) return replicas;
  throw new KvorumProtocolError('"replicas" of the answer is not an array of numbers');
}

function memberOf(json: Json): RingMember {
  return {
    number: numberIn(json, 'number'),
    name: stringIn(json, 'name'),
    httpAddress: stringIn(json, 'httpAddress'),
    zone: typeof json.zone === 'string' ? json.zone : '',
    isUp: json.isUp !== false,
  };
}
