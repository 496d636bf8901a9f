import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { toEpoch } from '../store/core/topology/types.ts';
import { setCollector } from '../store/io/collector.ts';
import { openPage } from '../store/peer/bulk-page.ts';
import { decodeReply, encodeReply } from '../store/peer/codec.ts';
import type { DataReply, KeyAt } from '../store/peer/data-messages.ts';
import { refused } from '../store/replication/exchange/fence.ts';
import { givePage } from '../store/replication/moves/give-page.ts';
import { DEFAULT_MOVE_LIMITS } from '../store/replication/moves/move-options.ts';
import { enterAll, fill, JOINT, openMember, placeAll } from './lib/bulk-member.ts';
import { cpuTimeOf } from './lib/cpu-time.ts';
import { type Figure, report, round } from './lib/report.ts';

/**
 * `./dev.sh bench bulk`: what a record of a move costs the processor, by step: read and packed at the member that gives, encoded and
 * decoded, stored at the member that comes to the partition. Two replicas in this process, no network.
 */
const { values: flags } = parseArgs({
  options: {
    partitions: { type: 'string', default: '16' },
    'per-partition': { type: 'string', default: '12000' },
    'page-kib': { type: 'string', default: String(DEFAULT_MOVE_LIMITS.pageBytesMax >> 10) },
  },
});
const partitions = Number(flags.partitions);
const perPartition = Number(flags['per-partition']);
const bytesMax = Number(flags['page-kib']) << 10;
const records = partitions * perPartition;
const EPOCH = toEpoch(6);
const STREAMS = 4;
const results: Record<string, Figure> = {};
type Page = Extract<DataReply, { readonly type: 'bulk' }>;

/** Microseconds of the main thread, and of all others, a record. */
async function step<T>(name: string, work: () => Promise<T>): Promise<T> {
  const before = cpuTimeOf(process.pid);
  const value = await work();
  const after = cpuTimeOf(process.pid);
  const main = round((1e6 * (after.mainSeconds - before.mainSeconds)) / records);
  const others = round((1e6 * (after.otherSeconds - before.otherSeconds)) / records);
  process.stdout.write(`| ${name} | ${main} | ${others} |\n`);
  results[`${name}_main`] = { value: main, unit: 'us' };
  results[`${name}_others`] = { value: others, unit: 'us' };
  return value;
}

/** `each` of every partition, a few at the same time, as a member that comes to them takes them. */
async function forAll(each: (partition: number) => Promise<void>): Promise<void> {
  const stream = async (first: number): Promise<void> => {
    for (let partition = first; partition < partitions; partition += STREAMS) await each(partition);
  };
  await Promise.all(Array.from({ length: STREAMS }, (_, first) => stream(first)));
}

setCollector();
const directory = mkdtempSync(`${tmpdir()}/kvorum-bulk-`);
const giver = await openMember(1, partitions, `${directory}/giver`);
placeAll(giver, EPOCH, partitions, JOINT);
await giver.replica.settled();
await fill(giver, { partitions, perPartition, valueBytes: 256 });
const receiver = await openMember(4, partitions, `${directory}/receiver`);
placeAll(receiver, EPOCH, partitions, JOINT);
await enterAll(receiver, partitions);

async function give(partition: number, after: KeyAt | undefined): Promise<Page> {
  const { engine, replica } = giver;
  const unowned = refused('NOT_OWNER', 'it is not owned', EPOCH);
  const page = await givePage(
    { type: 'bulk', partition, epoch: EPOCH, after, bytesMax },
    { engine, fence: (at) => replica.owned(at.partition) ?? unowned, p99Ms: () => undefined },
  );
  if (page.type !== 'bulk') throw new Error(`no page was given: ${JSON.stringify(page)}`);
  return page;
}

async function store(partition: number, page: Page): Promise<void> {
  const stored = await receiver.replica.storePage(
    { partition, epoch: EPOCH },
    openPage(page.records, partition),
  );
  if (stored.type !== 'stored') throw new Error(`a page was not stored: ${JSON.stringify(stored)}`);
}

process.stdout.write(`${records} records of 256 bytes, us of the main thread and of the others each\n\n`);
process.stdout.write('| | main | others |\n| --- | --- | --- |\n');
const pages = Array.from({ length: partitions }, (): Page[] => []);
await step('give', () =>
  forAll(async (partition) => {
    let page = await give(partition, undefined);
    pages[partition]?.push(page);
    while (page.last !== undefined) {
      page = await give(partition, page.last);
      pages[partition]?.push(page);
    }
  }),
);
const encoded = await step('encode', async () =>
  pages.map((each) => each.map((reply) => encodeReply({ type: 'data', reply }))),
);
// What the sockets do.
const payloads = encoded.map((each) => each.map(({ payload, tail }) => Buffer.concat([payload, tail])));
const decoded = await step('decode', async () =>
  payloads.map((each) => each.map((payload) => (decodeReply(payload) as { readonly reply: Page }).reply)),
);
await step('store', () =>
  forAll(async (partition) => {
    for (const page of decoded[partition] ?? []) await store(partition, page);
  }),
);
for (let partition = 0; partition < partitions; partition++)
  if (receiver.replica.owned(partition)?.tree?.entryCount !== perPartition)
    throw new Error(`partition ${partition} has not all of its records`);
await Promise.all([giver.close(), receiver.close()]);
rmSync(directory, { recursive: true, force: true });
process.stdout.write('\n');
report('bulk', results, {});
