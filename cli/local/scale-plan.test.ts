import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Topology } from '@kvorum/client';
import { localNode } from './local-node.ts';
import { refusalOfArguments, refusalOfCluster } from './scale.ts';
import { isEven, isScaled, planScale, type ScaleNode } from './scale-plan.ts';

type MemberText = { readonly drains?: boolean; readonly owns?: boolean };

/** Members by their numbers; a partition on all of those that own something. */
function topology(members: Readonly<Record<number, MemberText>>): Topology {
  const entries = Object.entries(members).map(([number, text]) => ({ number: Number(number), ...text }));
  const replicas = entries.filter(({ owns = true }) => owns).map(({ number }) => number);
  const all = entries.map(({ number, drains = false }) => {
    return { number, name: `kvorum-${number}`, state: 'up', isDraining: drains };
  });
  return {
    settings: { replicationFactor: 3 },
    members: all,
    partitions: [{ replicas }],
  } as unknown as Topology;
}

function node(index: number, text: Partial<ScaleNode> = {}): ScaleNode {
  return { node: localNode(index), hasDirectory: true, isRunning: true, state: 'member', ...text };
}

const down = { isRunning: false, state: undefined } as const;
const missing = { ...down, hasDirectory: false } as const;
const three = [node(1), node(2), node(3)];

function acts(target: number, nodes: readonly ScaleNode[], of: Topology | undefined): readonly string[] {
  return planScale(target, nodes, of).map((act) => `${act.type} ${act.node.name}`);
}

test('up: what is missing is started, and nothing else is done until it is a member', () => {
  const before = topology({ 1: {}, 2: {}, 3: {} });
  const starts = ['start kvorum-4', 'start kvorum-5'];
  assert.deepEqual(acts(5, [...three, node(4, missing), node(5, missing)], before), starts);
  const joining = [...three, node(4, { state: 'joining' }), node(5, { state: 'joining' })];
  assert.deepEqual(acts(5, joining, before), []);
  assert.equal(isScaled(5, joining, before), false);
  const joined = topology({ 1: {}, 2: {}, 3: {}, 4: { owns: false }, 5: { owns: false } });
  const all = [...three, node(4), node(5)];
  assert.equal(isScaled(5, all, joined), true);
  assert.equal(isEven(joined), true);
  const two = [{ replicas: [1, 2, 3] }, { replicas: [1, 2, 3] }];
  assert.equal(isEven({ ...joined, partitions: two } as unknown as Topology), false);
});

test('down: drain, wait, remove, stop, delete; each follows from what is seen alone', () => {
  const all = [...three, node(4), node(5)];
  const seen: [readonly ScaleNode[], Topology, readonly string[]][] = [
    [all, topology({ 1: {}, 2: {}, 3: {}, 4: {}, 5: {} }), ['drain kvorum-4', 'drain kvorum-5']],
    [all, topology({ 1: {}, 2: {}, 3: {}, 4: { drains: true }, 5: { drains: true } }), []],
    [
      all,
      topology({ 1: {}, 2: {}, 3: {}, 4: { drains: true }, 5: { drains: true, owns: false } }),
      ['remove kvorum-5'],
    ],
    [all, topology({ 1: {}, 2: {}, 3: {}, 4: { drains: true } }), ['stop kvorum-5']],
    [
      [...three, node(4), node(5, down)],
      topology({ 1: {}, 2: {}, 3: {} }),
      ['stop kvorum-4', 'discard kvorum-5'],
    ],
  ];
  for (const [nodes, state, expected] of seen) {
    assert.deepEqual(acts(3, nodes, state), expected);
    assert.equal(isScaled(3, nodes, state), false);
  }
  assert.equal(isScaled(3, [...three, node(4, missing)], topology({ 1: {}, 2: {}, 3: {} })), true);
});

test('turned round: drains of those that stay are cancelled, who was taken out begins anew', () => {
  const drained = topology({ 1: {}, 2: {}, 3: {}, 4: { drains: true } });
  assert.deepEqual(acts(5, [...three, node(4), node(5, { state: 'excluded' })], drained), [
    'cancel-drain kvorum-4',
    'stop kvorum-5',
  ]);
  const members = topology({ 1: {}, 2: {}, 3: {}, 4: {} });
  assert.deepEqual(acts(5, [...three, node(4), node(5, down)], members), ['discard kvorum-5']);
  assert.deepEqual(acts(5, [...three, node(4), node(5, missing)], members), ['start kvorum-5']);
});

test('nobody is drained while one that stays is down; one that leaves is started, for what it holds', () => {
  const members = topology({ 1: {}, 2: {}, 3: {}, 4: {} });
  const oneDown = [node(1), node(2), node(3, down), node(4)];
  assert.deepEqual(acts(3, oneDown, members), ['start kvorum-3']);
  assert.deepEqual(acts(3, [...three, node(4, down)], members), ['start kvorum-4']);
  assert.deepEqual(acts(3, [...three, node(4, missing)], members), ['drain kvorum-4']);
});

test('without a leader what should run is started, and nothing is taken away', () => {
  const nodes = [node(1), node(2, down), node(3, down), node(4), node(5, down)];
  assert.deepEqual(acts(3, nodes, undefined), ['start kvorum-2', 'start kvorum-3']);
});

test('what is refused names what is allowed and what to do', () => {
  for (const text of ['', 'x', '0', '-1', '1.5', '1e1', ' 3'])
    assert.match(refusalOfArguments([text]) ?? '', /a number of nodes from 1 to 50.*scale 5/, text);
  for (const args of [[], ['3', '4']]) assert.match(refusalOfArguments(args) ?? '', /from 1 to 50/);
  assert.match(refusalOfArguments(['51']) ?? '', /LOCAL_NODES_MAX, 50.*from 1 to 50/);
  assert.equal(refusalOfArguments(['50']), undefined);
  assert.match(refusalOfCluster(4, undefined) ?? '', /dev\.sh up 4 starts one/);
  const state = topology({ 1: {}, 2: {}, 3: {} });
  assert.match(refusalOfCluster(2, state) ?? '', /lives on 3 nodes.*scale 3 is the smallest/);
  assert.equal(refusalOfCluster(3, state), undefined);
});
