import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterNode } from '../lib/cluster-node.ts';
import { untilPlaced, wipeNode } from '../lib/elasticity.ts';
import { ensureFaketime, faketimeEnvironment } from '../lib/faketime.ts';
import { type DataStage, SMALL_DISK_INDEX } from './data-stage.ts';

const PAUSE_MS = 10_000;
const CUT_OFF_MS = 6000;
const FAULT_MS = 2000;
const PROBES = 64;
const MOVES_DEADLINE_MS = 120_000;
/** 30 s, the bound that was made durable ahead of its clock, and a start. */
const AHEAD_MS_MAX = 60_000;
const BALLAST_MEGABYTES = 300;
const RESERVE_BYTES = 96 << 20;
const EXIT_STORAGE_FAILED = 70;

/** Breaks something under load and mends it; says what it did. After it all nodes run, or are about to. */
export type DataFault = (stage: DataStage, victims: Victims) => Promise<string>;
export type Victims = { readonly one: ClusterNode; readonly other: ClusterNode };

const killOne: DataFault = async (stage, { one }) => {
  await killAndGoOn(stage, [one]);
  return `killed ${one.name}`;
};

const killTwo: DataFault = async (stage, { one, other }) => {
  await killAndGoOn(stage, [one, other]);
  return `killed ${one.name} and ${other.name}`;
};

/** With two of five gone some sets have one replica left: the rest of the keys must go on. */
async function killAndGoOn(stage: DataStage, nodes: readonly ClusterNode[]): Promise<void> {
  const { cluster } = stage;
  stage.breaks(nodes);
  await Promise.all(nodes.map(({ index }) => cluster.kill(index)));
  await stage.goesOn(FAULT_MS);
  for (const { index } of nodes) cluster.start(index);
}

const killAll: DataFault = async (stage) => {
  const { cluster } = stage;
  stage.breaks(cluster.nodes);
  await Promise.all(cluster.nodes.map(({ index }) => cluster.kill(index)));
  for (const { index } of cluster.nodes) cluster.start(index);
  return 'killed all five';
};

const pause: DataFault = async (stage, { one }) => {
  stage.breaks([one]);
  one.pause();
  await stage.goesOn(PAUSE_MS);
  one.wake();
  return `${one.name} stood still for ${PAUSE_MS / 1000} s`;
};

const partition: DataFault = async (stage, { one, other }) => {
  const { cluster, network } = stage;
  if (network === undefined) throw new Error('a partition needs a network of its own');
  const few = [one.index, other.index];
  const many = cluster.nodes.map(({ index }) => index).filter((index) => !few.includes(index));
  stage.breaks([], [many, few]);
  network.partition([many, few]);
  await stage.goesOn(CUT_OFF_MS);
  await mustServeOnOneSide(stage, many, few);
  network.heal();
  return `${one.name} and ${other.name} cut off`;
};

/** A key most of whose replicas are on one side is served there, and refused on the other. */
async function mustServeOnOneSide(
  { cluster, map }: DataStage,
  many: readonly number[],
  few: readonly number[],
): Promise<void> {
  const probes = Array.from({ length: PROBES }, (_, i) => `probe-${i}`);
  const key = probes.find((each) => map.ownersOf(each).filter((index) => many.includes(index)).length >= 2);
  if (key === undefined) throw new Error(`of ${PROBES} keys none has two replicas among ${many}`);
  for (const method of ['PUT', 'GET'])
    for (const { index, name, url } of [...few, ...many].map((each) => cluster.node(each))) {
      const body = method === 'PUT' ? name : null;
      const answer = await fetch(`${url}/v1/kv/default/${key}?timeoutMs=1000`, { method, body });
      const text = await answer.text();
      const isRefused = [503, 504].includes(answer.status);
      if (many.includes(index) ? !answer.ok : !isRefused)
        throw new Error(
          `${name} answered a ${method} of ${key} with ${answer.status} ${text}; ${few} are cut off`,
        );
    }
}

const clock: (offset: string) => DataFault =
  (offset) =>
  async (stage, { one }) => {
    ensureFaketime();
    const { cluster, load } = stage;
    stage.breaks([one]);
    await cluster.stop(one.index);
    load.wrongClocks.add(one.index);
    cluster.start(one.index, {}, faketimeEnvironment(offset));
    await cluster.settled();
    await stage.goesOn(FAULT_MS);
    await cluster.stop(one.index);
    cluster.start(one.index);
    await cluster.until(
      `${one.name} takes no writes with its clock right`,
      () => takesWrites(one),
      AHEAD_MS_MAX,
    );
    return `the clock of ${one.name} at ${offset}`;
  };

/** A node stamps nothing below what it may have stamped before: after a clock that was ahead it waits as long. */
async function takesWrites({ url }: ClusterNode): Promise<boolean> {
  const answer = await fetch(`${url}/v1/kv/default/probe`, { method: 'PUT', body: 'v' }).catch(
    () => undefined,
  );
  await answer?.arrayBuffer();
  return answer?.status === 204;
}

/** First full by its own limit, then to the last byte behind its back: then it may end itself, and starts again with room. */
const fullDisk: DataFault = async (stage) => {
  const { cluster, disk } = stage;
  if (disk === undefined) throw new Error('a full disk needs a small one');
  const node = cluster.node(SMALL_DISK_INDEX);
  stage.breaks([node]);
  await cluster.stop(node.index);
  const limits = { 'storage.reserveBytes': RESERVE_BYTES, 'storage.spaceCheckMs': 50 };
  cluster.start(node.index, { ...limits, 'storage.memtableBytes': 8 << 20 });
  await cluster.settled();
  disk.occupy(BALLAST_MEGABYTES);
  await stage.goesOn(FAULT_MS);
  await cluster.until(`${node.name} does not say that its disk is full`, () => refusesAsFull(node));
  disk.fillUp();
  await stage.goesOn(FAULT_MS);
  disk.makeRoom();
  // A write that was under way may have failed, and then the node must have ended itself.
  const hasEnded = await Promise.race([node.process.exited, sleep(500, undefined)]);
  if (hasEnded !== undefined && hasEnded !== EXIT_STORAGE_FAILED)
    throw new Error(`a full disk ended ${node.name} with ${hasEnded}\n${node.process.logTail()}`);
  if (hasEnded === undefined) await cluster.stop(node.index);
  cluster.start(node.index);
  return `the disk of ${node.name} full${hasEnded === undefined ? '' : '; it ended itself'}`;
};

async function refusesAsFull(node: ClusterNode): Promise<boolean> {
  const answer = await node.request<{ readonly storage?: { readonly state?: string } }>('/v1/status');
  return answer.type === 'ok' && answer.body.storage?.state === 'full';
}

/** The node that lost its directory is let in under another number, and its partitions move to it: then all is whole again. */
const wipe: DataFault = async (stage, { one }) => {
  const { cluster, map } = stage;
  stage.breaks([one]);
  await wipeNode(cluster, one.index);
  await stage.goesOn(FAULT_MS);
  const startedAt = performance.now();
  await untilPlaced(cluster, { deadlineMs: MOVES_DEADLINE_MS });
  await map.readAgain(one);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  return `${one.name} lost its directory, and has its share again after ${seconds} s as another member`;
};

export const DATA_FAULTS = {
  kill: killOne,
  'kill-two': killTwo,
  'kill-all': killAll,
  pause,
  partition,
  'clock-ahead': clock('+30s'),
  'clock-behind': clock('-30s'),
  disk: fullDisk,
  wipe,
} as const satisfies Readonly<Record<string, DataFault>>;

export type DataFaultName = keyof typeof DATA_FAULTS;
