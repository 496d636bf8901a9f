import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CostSample, type Costs, fitCosts, nonNegativeFit } from './costs.ts';
import { messagesOf, onPaper } from './formula.ts';
import { replicaSetsOf, type ScaleOptions, simulate } from './simulate.ts';

const COSTS: Costs = {
  clientMicros: { puts: 10, gets: 8 },
  coordinateMicros: { puts: 6, gets: 4 },
  messageMicros: 2,
  frameMicros: 12,
  replicaMicros: { puts: 4, gets: 2 },
  groupMicros: 20,
  storageGroupMicros: 10,
  storageRecordMicros: 2,
  fsyncMicros: 300,
  otherShare: 0.1,
  generatorMicros: { puts: 8, gets: 8 },
  idleMicros: 10_000,
};
const OPTIONS: ScaleOptions = {
  nodes: 3,
  kind: 'gets',
  clientsPerNode: 64,
  routing: 'any node',
  cores: { type: 'own', perNode: 2 },
  networkMicros: 50,
  background: { leaderMicros: 0, otherMicros: 0 },
  warmUpMicros: 50_000,
  measuredMicros: 200_000,
  seed: 1,
};

const isNear = (value: number, wanted: number, share: number): void =>
  assert.ok(
    Math.abs(value - wanted) <= share * wanted,
    `${value} is not within ${100 * share} % of ${wanted}`,
  );

for (const kind of ['puts', 'gets'] as const)
  for (const routing of ['any node', 'owner'] as const)
    for (const nodes of [3, 5, 20])
      test(`simulate: ${kind} of ${nodes} nodes through ${routing} send the messages that the formula counts`, () => {
        const { messages } = simulate({ ...OPTIONS, kind, nodes, routing, measuredMicros: 100_000 }, COSTS);
        isNear(messages, messagesOf(kind, routing === 'owner' ? 1 : Math.min(1, 3 / nodes)), 0.03);
      });

test('simulate: one client that is alone pays each cost once, and waits for what is on its way', () => {
  const alone = { ...OPTIONS, nodes: 3, clientsPerNode: 1 / 3 };
  const { p50Micros, mainMicros, frames } = simulate(alone, COSTS);
  const work = 8 + 4 + 2 * 2 + 2 * 2 + 2 * 12;
  isNear(frames, 2, 0.01);
  isNear(mainMicros, work, 0.01);
  isNear(p50Micros, 4 * 50 + work - 2, 0.02);
});

test('simulate: work is conserved: what main threads did is what the operations cost', () => {
  const { mainMicros, messages, frames, groups } = simulate({ ...OPTIONS, kind: 'puts' }, COSTS);
  const work = 10 + 6 + 2 * messages + 12 * frames + 5 * 4 + 20 * groups;
  isNear(mainMicros, work, 0.02);
});

test('simulate: a saturated node has the throughput that its work leaves', () => {
  const { perNode, mainMicros, hottestBusy } = simulate({ ...OPTIONS, clientsPerNode: 256 }, COSTS);
  assert.ok(hottestBusy > 0.99, String(hottestBusy));
  isNear(perNode, 1e6 / mainMicros, 0.02);
});

test('simulate: cores that are shared by all nodes give no more than they have', () => {
  const { perSecond, mainMicros } = simulate(
    { ...OPTIONS, cores: { type: 'shared', count: 2, pace: 1 }, networkMicros: 5 },
    COSTS,
  );
  isNear(perSecond, 2e6 / (mainMicros * 1.1 + 8), 0.03);
});

test('simulate: background work takes its share', () => {
  const background = { leaderMicros: 200_000, otherMicros: 100_000 };
  const { backgroundShare } = simulate({ ...OPTIONS, background }, COSTS);
  isNear(backgroundShare, 0.4 / 3, 0.1);
});

test('simulate: an equal seed gives an equal run', () => {
  assert.deepEqual(simulate(OPTIONS, COSTS), simulate(OPTIONS, COSTS));
});

for (const nodes of [3, 10, 50])
  for (const kind of ['puts', 'gets'] as const)
    test(`onPaper: ${kind} of ${nodes} nodes are within a quarter of the simulation`, () => {
      const options = { ...OPTIONS, nodes, kind, clientsPerNode: 128 };
      isNear(onPaper(options, COSTS).perNode, simulate(options, COSTS).perNode, 0.25);
    });

test('replicaSetsOf: three different members for each partition', () => {
  for (const set of replicaSetsOf(7)) assert.equal(new Set(set).size, 3);
});

test('nonNegativeFit: finds what made the figures, and nothing below zero', () => {
  const rows = [
    [1, 0, 6],
    [1, 0, 1],
    [0, 1, 2],
    [0, 1, 0.2],
  ];
  const exact = nonNegativeFit(
    rows,
    rows.map(([a = 0, b = 0, c = 0]) => 90 * a + 40 * b + 11 * c),
  );
  for (const [i, wanted] of [90, 40, 11].entries()) isNear(exact[i] as number, wanted, 1e-6);
  const falling = nonNegativeFit(rows, [80, 90, 38, 40]);
  assert.equal(falling[2], 0);
});

test('fitCosts: costs of which the samples are made come out again', () => {
  const sample = (
    kind: 'puts' | 'gets',
    connections: number,
    frames: number,
    groups: number,
  ): CostSample => ({
    ...{ kind, nodes: 3, connections, perSecond: 1000, otherMicros: 5, generatorMicros: 8, frames, groups },
    mainMicros: (kind === 'puts' ? 10 + 6 + 12 + 20 : 8 + 4 + 4 + 4) + 12 * frames + 20 * groups,
    storageMicros: kind === 'puts' ? 6 + 10 * groups : 0,
    stages:
      kind === 'puts'
        ? { client: 10, coordinator: 6, links: 6, codec: 6, replica: 20, gc: 9 }
        : { client: 4, 'client-send': 4, coordinator: 4, codec: 4, replica: 4 },
  });
  const samples = [
    sample('puts', 3, 6, 3),
    sample('puts', 64, 1, 0.2),
    sample('puts', 12, 3, 0.5),
    sample('gets', 3, 2, 0),
    sample('gets', 64, 0.3, 0),
  ];
  const costs = fitCosts(samples, { fsyncMicros: 300, idleMicros: 10_000 });
  const wanted = { messageMicros: 2, frameMicros: 12, groupMicros: 20 };
  for (const [name, micros] of Object.entries(wanted)) isNear(costs[name as 'frameMicros'], micros, 1e-6);
  isNear(costs.clientMicros.gets, 8, 1e-6);
  isNear(costs.replicaMicros.puts, 4, 1e-6);
  isNear(costs.replicaMicros.gets, 2, 1e-6);
  isNear(costs.storageRecordMicros, 2, 1e-6);
});
