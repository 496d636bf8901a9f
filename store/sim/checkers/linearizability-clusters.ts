import type { Delete, Put, Read, RegisterOperation } from './register-operation.ts';

/** An operation with the places of its begin and its end among all events; without an end it is FOREVER. */
export type Placed<Operation extends RegisterOperation = RegisterOperation> = {
  readonly operation: Operation;
  readonly begin: number;
  readonly end: number;
};

export const FOREVER = Number.POSITIVE_INFINITY;

/** A value: its put and the reads that found it. */
export type Cluster = {
  readonly put: Placed<Put>;
  /** The value is there at the latest when the first of them ends, */
  firstEnd: Placed;
  /** and at the earliest until the last of them begins. */
  lastBegin: Placed;
};

/** A history by what its operations say of the register. */
export type Sorted = {
  /** Puts that took effect for certain: acknowledged, or read. */
  readonly clusters: readonly Cluster[];
  readonly deletes: readonly Placed<Delete>[];
  /** Reads that found nothing. */
  readonly absences: readonly Placed<Read>[];
  /** A read that no put explains. */
  readonly impossible: Impossible | undefined;
};

export type Impossible = { readonly problem: string; readonly operations: readonly RegisterOperation[] };

export function sortHistory(history: readonly RegisterOperation[]): Sorted {
  const placed = placeAll(history);
  const clusters = clustersOf(placed);
  const deletes: Placed<Delete>[] = [];
  const absences: Placed<Read>[] = [];
  let impossible: Impossible | undefined;
  for (const each of placed) {
    if (isDelete(each)) {
      if (each.operation.isRefused !== true) deletes.push(each);
    } else if (isRead(each)) {
      if (each.operation.value === undefined) absences.push(each);
      else impossible ??= addRead(clusters.get(each.operation.value), each);
    }
  }
  const certain = [...clusters.values()].filter(
    ({ put, firstEnd }) => put.operation.isRefused !== true && firstEnd.end !== FOREVER,
  );
  return { clusters: certain, deletes, absences, impossible };
}

/** At equal times begins come first: then nothing is taken for over that may not be. */
function placeAll(history: readonly RegisterOperation[]): Placed[] {
  const events: { readonly at: number; readonly isEnd: 0 | 1; readonly index: number }[] = [];
  for (const [index, { beganAt, endedAt }] of history.entries()) {
    events.push({ at: beganAt, isEnd: 0, index });
    if (endedAt !== undefined) events.push({ at: endedAt, isEnd: 1, index });
  }
  events.sort((a, b) => a.at - b.at || a.isEnd - b.isEnd);
  const begins = new Float64Array(history.length);
  const ends = new Float64Array(history.length).fill(FOREVER);
  for (const [place, { isEnd, index }] of events.entries()) (isEnd === 1 ? ends : begins)[index] = place;
  return history.map((operation, i) => ({ operation, begin: begins[i] as number, end: ends[i] as number }));
}

function clustersOf(placed: readonly Placed[]): Map<string, Cluster> {
  const clusters = new Map<string, Cluster>();
  for (const put of placed) {
    if (!isPut(put)) continue;
    const { value } = put.operation;
    if (clusters.has(value)) throw new RangeError(`The value ${value} is put twice: values must be unique.`);
    clusters.set(value, { put, firstEnd: put, lastBegin: put });
  }
  return clusters;
}

function addRead(cluster: Cluster | undefined, read: Placed<Read>): Impossible | undefined {
  const { operation } = read;
  if (cluster === undefined)
    return { problem: `${operation.value} was read, and nobody put it`, operations: [operation] };
  const operations = [cluster.put.operation, operation];
  if (cluster.put.operation.isRefused === true)
    return { problem: `${operation.value} was read, and its put was refused`, operations };
  if (read.end < cluster.put.begin)
    return { problem: `${operation.value} was read before its put began`, operations };
  if (read.end < cluster.firstEnd.end) cluster.firstEnd = read;
  if (read.begin > cluster.lastBegin.begin) cluster.lastBegin = read;
  return undefined;
}

const isPut = (placed: Placed): placed is Placed<Put> => placed.operation.type === 'put';
const isDelete = (placed: Placed): placed is Placed<Delete> => placed.operation.type === 'delete';
const isRead = (placed: Placed): placed is Placed<Read> => placed.operation.type === 'read';
