import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configurationOf } from '../core/raft/configuration.ts';
import { type Entry, type PersistedState, toIndex, toTerm } from '../core/raft/types.ts';
import { applyCommand } from '../core/topology/apply.ts';
import { encodeCommand, encodeState } from '../core/topology/codec.ts';
import type { TopologyCommand } from '../core/topology/command.ts';
import { createTopology } from '../core/topology/genesis.ts';
import { NUMBERS_SKIPPED_AT_RECOVERY } from '../core/topology/recover.ts';
import { type TopologyState, toEpoch } from '../core/topology/types.ts';
import { MemoryEngine } from '../sim/memory-engine.ts';
import { SimNode } from '../sim/sim-node.ts';
import { createSimRandom } from '../sim/sim-random.ts';
import type { Engine } from '../storage/engine.ts';
import { createMetaStore } from '../storage/meta-store.ts';
import { removeRaftBatches } from '../storage/raft-store/raft-operations.ts';
import { openRaftStore } from '../storage/raft-store/raft-store.ts';
import {
  intactState,
  KEYS,
  type RecordedWrite,
  recording,
  recordsOf,
} from '../storage/raft-store/testing.ts';
import { becomeMember, beginJoining, openDataDirectory } from './data-directory.ts';
import { newMemberState } from './first-state.ts';
import { carryOutRecovery, planRecovery, type RecoveryPlan } from './recover-directory.ts';

const OLD = 'a'.repeat(32);
const SURVIVOR = 2;
const announcement = { peerAddress: 'h:7401', httpAddress: 'h:7400', zone: '', version: '0.1.0' };
const life = { incarnation: 1, life: 'l' };

const join = (name: string): TopologyCommand => ({
  ...{ type: 'join', name, directoryId: name, weight: 100, replaces: undefined, ...announcement },
});
const begin = (member: number, directoryId: string): TopologyCommand => ({
  ...{ type: 'start', member, directoryId, incarnation: 1, lives: ['l'], ...announcement },
});
const namespace = (name: string): TopologyCommand => ({ type: 'create-namespace', name, createdAtMs: 1 });
const place: TopologyCommand = {
  type: 'place-partitions',
  expectedEpoch: toEpoch(6),
  replicaSets: [
    [1, 3],
    [2, 3],
  ],
};

/** Three members that are up, one that never started, and two partitions. */
function topologyWith(directoryId: string): TopologyState {
  const first = { ...announcement, ...life, name: 'one', directoryId: 'one', weight: 100 };
  const settings = { partitions: 2, replicationFactor: 2 };
  const genesis = createTopology({ clusterId: OLD, settings, createdAtMs: 0, first });
  const two = { ...join('two'), directoryId } as TopologyCommand;
  const commands = [two, begin(2, directoryId), join('three'), begin(3, 'three'), join('four'), place];
  return commands.reduce((state, each) => applyCommand(state, each).state, genesis);
}

const at = (index: number, term: number) => ({ index: toIndex(index), term: toTerm(term) });
const command = (index: number, term: number, change: TopologyCommand): Entry => ({
  ...{ type: 'command', ...at(index, term), data: encodeCommand(change) },
});

/** A snapshot at 4, and entries 3 to 9 of which 7 is known to be committed. */
function logWith(topology: TopologyState): PersistedState {
  const voters = configurationOf([1, 2, 3]);
  return {
    hardState: { term: toTerm(5), vote: 3, commit: toIndex(7) },
    snapshot: { ...at(4, 1), configuration: configurationOf([1]), data: encodeState(topology) },
    entries: [
      { type: 'no-op', ...at(3, 1) },
      { type: 'no-op', ...at(4, 1) },
      { type: 'config', ...at(5, 1), configuration: voters },
      { type: 'no-op', ...at(6, 2) },
      command(7, 2, namespace('known')),
      command(8, 2, namespace('uncertain')),
      command(9, 3, namespace('uncertain')),
    ],
    applied: toIndex(4),
  };
}

type Survivor = { readonly sim: SimNode; readonly engine: Engine };

const mount = (sim: SimNode): Engine => new MemoryEngine({ groupBytesMax: 1 << 20 }, { disk: sim.disk });

function emptyDisk(seed = 1): Survivor {
  const sim = new SimNode({ seed });
  return { sim, engine: mount(sim) };
}

/** The disk of member 2 after it was stopped. */
async function survivor({ seed = 1, member = SURVIVOR } = {}): Promise<Survivor> {
  const made = emptyDisk(seed);
  const { engine } = made;
  const meta = createMetaStore(engine);
  const { directoryId } = await openDataDirectory({ engine, meta, random: createSimRandom(seed) });
  const identity = { clusterId: OLD, member, incarnation: 1, lives: ['l'], partitions: 2 };
  await becomeMember(engine, identity, logWith(topologyWith(directoryId)));
  return made;
}

const plan = (engine: Engine, seed = 99): Promise<RecoveryPlan> =>
  planRecovery({ engine, random: createSimRandom(seed) });

function contents({ sim }: Survivor): string[] {
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
  const records = sim.disk.contents(Buffer.of(0), Buffer.alloc(9, 0xff));
  return Array.from(records, ({ key, value }) => `${hex(key)}=${hex(value)}`);
}

test('a report says what is known, may be lost and is lost, and changes nothing', async () => {
  const disk = await survivor();
  const before = contents(disk);
  const { report } = await plan(disk.engine);
  assert.deepEqual(
    { ...report, lost: { ...report.lost, members: report.lost.members.map(({ name }) => name) } },
    {
      clusterId: OLD,
      member: { number: 2, name: 'two' },
      epoch: 9,
      log: { snapshot: 4, readableTo: 9, last: 9, term: 5, committed: 7, damage: undefined },
      uncertain: [
        { ...at(8, 2), command: namespace('uncertain'), hasEffect: true },
        { ...at(9, 3), command: namespace('uncertain'), hasEffect: false },
      ],
      voters: ['one', 'two', 'three'],
      decidesAlone: false,
      partitions: 2,
      lost: { changesAfter: 9, members: ['one', 'three', 'four'], partitions: [0], partitionsBehind: [1] },
    },
  );
  assert.deepEqual(contents(disk), before);
});

test('a recovered directory starts as a cluster of one, with what the log held, and nothing is left of that', async () => {
  const disk = await survivor();
  const made = await plan(disk.engine);
  await carryOutRecovery(disk.engine, made, OLD);
  const state = intactState(await openRaftStore({ engine: disk.engine }).load());
  assert.deepEqual(state, made.raft);
  assert.deepEqual([state.snapshot.index, state.snapshot.term], [10, 6]);
  assert.deepEqual(state.snapshot.configuration, configurationOf([SURVIVOR]));
  const remains = await recordsOf(disk.engine);
  assert.equal(remains.length, 4, 'one chunk and three records');
  await disk.engine.close();

  await disk.sim.start();
  await disk.sim.node.settled();
  const { clusterId, epoch, quorum, node } = disk.sim.node.cluster.status();
  assert.equal(clusterId, made.identity.clusterId);
  assert.notEqual(clusterId, OLD);
  assert.deepEqual([quorum.state, node.state, node.member, node.role], ['ok', 'member', 2, 'leader']);
  assert.ok(epoch >= 9 + NUMBERS_SKIPPED_AT_RECOVERY);
  const { topology } = disk.sim.node.internals.member ?? {};
  assert.deepEqual([...(topology?.state?.namespaces.keys() ?? [])], ['default', 'known', 'uncertain']);
  assert.deepEqual(
    topology?.state?.partitions.map(({ replicas }) => replicas),
    [[2], [2]],
  );
  await disk.sim.node.stop();
});

test('one cluster: a crash at every step leaves the directory before or after: never half of it', async () => {
  const probe = await survivor();
  const writes: RecordedWrite[] = [];
  const watched = recording(probe.engine, writes);
  await carryOutRecovery(watched, await plan(watched), OLD);
  assert.deepEqual(
    writes.map(({ sync, batch }) => ({ sync, isAtomic: batch.every(({ type }) => type !== 'delete-range') })),
    [{ sync: true, isAtomic: true }],
  );
  const seen = { before: 0, after: 0 };
  for (const fault of ['failNextWrite', 'failNextSync', 'crash'] as const)
    for (let seed = 1; seed <= 20; seed++) seen[await crashed(fault, seed)]++;
  assert.ok(seen.before > 20 && seen.after > 0, JSON.stringify(seen));
});

/** Recovers, and loses power at the fault; says which of the two the directory is then. */
async function crashed(
  fault: 'failNextWrite' | 'failNextSync' | 'crash',
  seed: number,
): Promise<'before' | 'after'> {
  const { sim, engine } = await survivor({ seed });
  const expected = await plan(engine);
  if (fault === 'crash') sim.disk.faults.syncDelayMs = 10;
  else sim.disk.faults[fault] = true;
  const failing = assert.rejects(carryOutRecovery(engine, expected, OLD));
  // The batch is with the disk by then, and its fsync has not ended.
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  sim.crash();
  await failing;
  sim.disk.faults.syncDelayMs = 0;
  const { report } = await plan(mount(sim), 100);
  const isAfter = report.clusterId === expected.identity.clusterId;
  if (isAfter) assert.deepEqual([report.log.last, report.voters], [10, ['two']]);
  else assert.deepEqual(report, expected.report);
  return isAfter ? 'after' : 'before';
}

test('S5: of a damaged log the readable beginning is taken, and the report says where it ends', async () => {
  const cases = [
    { key: KEYS.entry(toIndex(8)), readableTo: 7, committed: 7, damage: /entry 8 fails/ },
    { key: KEYS.entry(toIndex(6)), readableTo: 5, committed: 7, damage: /entry 6 fails/ },
    { key: KEYS.entry(toIndex(3)), readableTo: 9, committed: 7, damage: /entry 3 fails/ },
    { key: KEYS.hardState, readableTo: 9, committed: 4, damage: /term and vote/ },
    { key: KEYS.bounds, readableTo: 9, committed: 7, damage: /bounds/ },
  ];
  for (const { key, readableTo, committed, damage } of cases) {
    const disk = await survivor();
    assert.ok(disk.sim.disk.corrupt(key));
    const made = await plan(disk.engine);
    const { log, uncertain } = made.report;
    assert.match(log.damage ?? '', damage);
    assert.deepEqual([log.readableTo, log.committed, log.last], [readableTo, committed, 9]);
    assert.ok(uncertain.every(({ index }) => index > committed && index <= readableTo));
    await carryOutRecovery(disk.engine, made, OLD);
    assert.deepEqual(intactState(await openRaftStore({ engine: disk.engine }).load()), made.raft);
  }
});

const refuses = (engine: Engine, code: string | undefined, message: RegExp): Promise<void> =>
  assert.rejects(plan(engine), (error: Error & { code?: string }) => {
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
  });

test('what cannot be recovered is refused, and nothing is changed', async () => {
  const empty = emptyDisk();
  await refuses(empty.engine, 'NO_CLUSTER', /of no cluster/);
  assert.deepEqual(contents(empty), []);

  const { engine } = empty;
  const meta = createMetaStore(engine);
  await openDataDirectory({ engine, meta, random: createSimRandom(1) });
  await beginJoining(meta, OLD);
  await refuses(engine, 'NO_CLUSTER', new RegExp(`asking the cluster ${OLD} for one`));

  await becomeMember(
    engine,
    { clusterId: OLD, member: 2, incarnation: 1, lives: ['l'], partitions: 2 },
    newMemberState(),
  );
  await refuses(engine, 'NO_TOPOLOGY', /it never arrived/);

  await refuses((await survivor({ member: 9 })).engine, undefined, /Member 9 is not of this topology/);
  await refuses((await survivor({ member: 4 })).engine, undefined, /has not started/);

  const damaged = await survivor();
  damaged.sim.disk.corrupt(KEYS.chunk(1, 0));
  await refuses(damaged.engine, 'NO_TOPOLOGY', /chunk 0 of the snapshot fails/);

  const lost = await survivor();
  for (const batch of removeRaftBatches()) await lost.engine.write(batch, { sync: true });
  await refuses(lost.engine, 'NO_TOPOLOGY', /no topology can be read/);
});

test('a confirmation that is not the id of the old cluster changes nothing', async () => {
  const disk = await survivor();
  const before = contents(disk);
  const made = await plan(disk.engine);
  for (const wrong of ['', 'yes', made.identity.clusterId])
    await assert.rejects(carryOutRecovery(disk.engine, made, wrong), {
      name: 'RecoverDirectoryError',
      code: 'WRONG_CONFIRMATION',
    });
  assert.deepEqual(contents(disk), before);
});

test('S5: a node that is alone with a damaged log points here, and keeps its data through the recovery', async () => {
  const sim = await SimNode.start();
  await sim.node.settled();
  const key = Buffer.from('k');
  await sim.store.put('default', key, { value: Buffer.from('v') });
  await sim.node.stop();
  let engine = mount(sim);
  const { decidesAlone, log } = (await plan(engine)).report;
  assert.equal(decidesAlone, true);
  await engine.close();
  assert.ok(sim.disk.corrupt(KEYS.entry(log.last)));
  await assert.rejects(sim.start(), /damaged.*kvorum cluster recover/);
  engine = mount(sim);
  const made = await plan(engine);
  assert.deepEqual([made.report.decidesAlone, made.report.log.readableTo], [false, log.last - 1]);
  await carryOutRecovery(engine, made, made.report.clusterId);
  await engine.close();
  await sim.start();
  await sim.node.settled();
  assert.equal(Buffer.from((await sim.store.get('default', key))?.value ?? []).toString(), 'v');
  await sim.node.stop();
});
