import type { Kind } from '../budget/resp-load.ts';

export type OfKind = Readonly<Record<Kind, number>>;

/** What the parts of an operation take of a processor, in microseconds; measured on three real nodes (`bench scale-out --measure`). */
export type Costs = {
  /** Of a request of a client: read, parsed, answered, its system calls included. */
  readonly clientMicros: OfKind;
  /** Of an operation at its coordinator. */
  readonly coordinateMicros: OfKind;
  /** Of a request or an answer between members: encoded, queued, decoded, both ends together. */
  readonly messageMicros: number;
  /** Of a frame, however many of these share it: system calls, wake-ups, both ends together. */
  readonly frameMicros: number;
  /** Of a replica, on its main thread, each time that it says what it has of a key or takes a record: of a put, and of a get. */
  readonly replicaMicros: OfKind;
  /** Of a group of records that shares an fsync: handed to the storage thread and back, on the main thread. */
  readonly groupMicros: number;
  /** On the storage thread, for a group and for each record of it. */
  readonly storageGroupMicros: number;
  readonly storageRecordMicros: number;
  /** Time that the storage thread waits for the disk. */
  readonly fsyncMicros: number;
  /** What V8's own threads take beside each microsecond of a main thread. */
  readonly otherShare: number;
  /** Of the load generator, for an operation: it shares the cores here. */
  readonly generatorMicros: OfKind;
  /** Of a second of a node that has nothing to do, in a cluster of three. */
  readonly idleMicros: number;
};

/** One load on a real cluster, a share for each operation. */
export type CostSample = {
  readonly kind: Kind;
  readonly nodes: number;
  readonly connections: number;
  readonly perSecond: number;
  readonly mainMicros: number;
  readonly storageMicros: number;
  readonly otherMicros: number;
  readonly generatorMicros: number;
  /** Frames between members, and groups that shared an fsync, of all nodes. */
  readonly frames: number;
  readonly groups: number;
  /** Main-thread microseconds by stage (bench/lib/budget/stages.ts). */
  readonly stages: Readonly<Record<string, number>>;
};

/** Requests and answers between members for an operation in a cluster where each node has a replica of all keys. */
export const MESSAGES: OfKind = { puts: 6, gets: 2 };
/** Times that a replica is asked, or given a record: 2 and 3 for a put. */
const PIECES: OfKind = { puts: 5, gets: 2 };
const STORES = 3;

export type CostsBeside = { readonly fsyncMicros: number; readonly idleMicros: number };

/**
 * The costs that explain the samples best. Main thread: an operation of a kind takes what it takes, and so much more for each frame and each
 * group, by least squares of the relative error over loads with few and with many connections. What it takes of itself is divided by the
 * stages of its profile. Storage thread: so much for a group and so much for a record.
 */
export function fitCosts(samples: readonly CostSample[], beside: CostsBeside): Costs {
  const [puts, gets, frameMicros, groupMicros] = nonNegativeFit(
    samples.map(({ kind, frames, groups }) => [
      Number(kind === 'puts'),
      Number(kind === 'gets'),
      frames,
      groups,
    ]),
    samples.map(({ mainMicros }) => mainMicros),
  ) as [number, number, number, number];
  const written = samples.filter(({ kind }) => kind === 'puts');
  const [records, storageGroupMicros] = nonNegativeFit(
    written.map(({ groups }) => [1, groups]),
    written.map(({ storageMicros }) => storageMicros),
  ) as [number, number];
  const put = divide(puts, sharesOf(samples, 'puts'));
  const get = divide(gets, sharesOf(samples, 'gets'));
  return {
    clientMicros: { puts: put.client, gets: get.client },
    coordinateMicros: { puts: put.coordinator, gets: get.coordinator },
    messageMicros: (put.messages + get.messages) / (MESSAGES.puts + MESSAGES.gets),
    frameMicros,
    replicaMicros: { puts: put.replica / PIECES.puts, gets: get.replica / PIECES.gets },
    groupMicros,
    storageGroupMicros,
    storageRecordMicros: records / STORES,
    otherShare: meanOf(samples, ({ otherMicros, mainMicros }) => otherMicros / mainMicros),
    generatorMicros: {
      puts: meanOf(written, ({ generatorMicros }) => generatorMicros),
      gets: meanOf(
        samples.filter(({ kind }) => kind === 'gets'),
        ({ generatorMicros }) => generatorMicros,
      ),
    },
    ...beside,
  };
}

type Parts = Readonly<Record<'client' | 'coordinator' | 'messages' | 'replica', number>>;

/** What is counted by frames and groups is left out, and what belongs to all (garbage, turns) is shared out with the rest. */
const PART_OF_STAGE: Readonly<Record<string, keyof Parts>> = {
  client: 'client',
  'client-send': 'client',
  coordinator: 'coordinator',
  links: 'messages',
  codec: 'messages',
  replica: 'replica',
  storage: 'replica',
};

/** By the load with the most connections, where frames and groups weigh least. */
function sharesOf(samples: readonly CostSample[], kind: Kind): Parts {
  const own = samples.filter((sample) => sample.kind === kind);
  const busiest = own.reduce((most, sample) => (sample.connections > most.connections ? sample : most));
  const parts = { client: 0, coordinator: 0, messages: 0, replica: 0 };
  for (const [stage, micros] of Object.entries(busiest.stages)) {
    const part = PART_OF_STAGE[stage];
    if (part !== undefined) parts[part] += micros;
  }
  const total = Object.values(parts).reduce((sum, micros) => sum + micros, 0);
  return divide(1 / total, parts);
}

function divide(amount: number, parts: Parts): Parts {
  const { client, coordinator, messages, replica } = parts;
  return {
    client: amount * client,
    coordinator: amount * coordinator,
    messages: amount * messages,
    replica: amount * replica,
  };
}

function meanOf(samples: readonly CostSample[], value: (sample: CostSample) => number): number {
  return samples.reduce((sum, sample) => sum + value(sample), 0) / samples.length;
}

/**
 * Least squares of the relative error with no coefficient below zero: where one would be, it is zero and the others are found anew. Rows are
 * what was counted, `measured` is what it added up to.
 */
export function nonNegativeFit(
  rows: readonly (readonly number[])[],
  measured: readonly number[],
): readonly number[] {
  const width = rows[0]?.length ?? 0;
  const free = new Set(Array.from({ length: width }, (_, i) => i));
  const relative = rows.map((row, i) => row.map((value) => value / (measured[i] as number)));
  for (;;) {
    const columns = [...free];
    const found = solveNormal(relative.map((row) => columns.map((column) => row[column] as number)));
    const least = found.reduce((at, value, i) => (value < (found[at] as number) ? i : at), 0);
    if (columns.length > 0 && (found[least] as number) < 0) {
      free.delete(columns[least] as number);
      continue;
    }
    return Array.from({ length: width }, (_, i) => (free.has(i) ? (found[columns.indexOf(i)] as number) : 0));
  }
}

/** Solves (A'A) x = A'1 by elimination with pivots; what nothing says anything about is zero. */
function solveNormal(rows: readonly (readonly number[])[]): number[] {
  const width = rows[0]?.length ?? 0;
  const system = Array.from({ length: width }, (_, i) => [
    ...Array.from({ length: width }, (_, j) =>
      sumOver(rows, (row) => (row[i] as number) * (row[j] as number)),
    ),
    sumOver(rows, (row) => row[i] as number),
  ]);
  for (let i = 0; i < width; i++) eliminate(system, i);
  return system.map((row, i) =>
    Math.abs(row[i] as number) < SINGULAR ? 0 : (row[width] as number) / (row[i] as number),
  );
}

const SINGULAR = 1e-12;

function eliminate(system: number[][], column: number): void {
  let pivot = column;
  for (let i = column; i < system.length; i++)
    if (Math.abs(system[i]?.[column] ?? 0) > Math.abs(system[pivot]?.[column] ?? 0)) pivot = i;
  const row = system[pivot] as number[];
  system[pivot] = system[column] as number[];
  system[column] = row;
  if (Math.abs(row[column] as number) < SINGULAR) return;
  for (const [i, other] of system.entries()) {
    if (i === column) continue;
    const factor = (other[column] as number) / (row[column] as number);
    for (let j = 0; j < other.length; j++) other[j] = (other[j] as number) - factor * (row[j] as number);
  }
}

const sumOver = (rows: readonly (readonly number[])[], value: (row: readonly number[]) => number): number =>
  rows.reduce((sum, row) => sum + value(row), 0);
