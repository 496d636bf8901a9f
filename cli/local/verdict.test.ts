import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClusterStatus, NodeState } from '../../store/cluster/cluster-admin.ts';
import { toEpoch } from '../../store/core/topology/types.ts';
import { localNode } from './local-node.ts';
import type { Observation } from './observe.ts';
import { table } from './status.ts';
import { placementText, verdictOf } from './verdict.ts';

type Change = {
  readonly state?: NodeState;
  readonly epoch?: number;
  readonly clusterId?: string;
  readonly alive?: number;
  readonly voters?: readonly number[];
  readonly quorum?: ClusterStatus['quorum']['state'];
  readonly reason?: string;
  readonly unready?: readonly string[];
};

/** The `index`-th of three nodes, all well but for `change`. */
function node(index: number, change: Change = {}): Observation {
  const status = {
    node: { name: `kvorum-${index}`, state: change.state ?? 'member', reason: change.reason },
    clusterId: change.clusterId ?? 'a'.repeat(32),
    epoch: toEpoch(change.epoch ?? 7),
    leader: { member: 2, name: 'kvorum-2' },
    quorum: {
      state: change.quorum ?? 'ok',
      voters: change.voters ?? [1, 2, 3],
      reason: change.quorum === undefined ? undefined : 'kvorum-3 is gone',
    },
    members: { total: 3, alive: change.alive ?? 3, suspect: 0, dead: 0 },
  };
  const unready = change.unready ?? [];
  return { node: localNode(index), pid: 100 + index, status: status as unknown as ClusterStatus, unready };
}

test('a cluster at one epoch with all of its quorum is well', () => {
  assert.deepEqual(verdictOf([node(1), node(2), node(3)]), {
    isWell: true,
    text: 'ok: 3 nodes, 3 voters, leader kvorum-2, epoch 7',
  });
});

const PROBLEMS: readonly (readonly [Observation, RegExp])[] = [
  [{ ...node(3), pid: undefined, status: undefined }, /kvorum-3 is down/],
  [{ ...node(3), status: undefined }, /kvorum-3 does not answer/],
  [node(3, { state: 'waiting', reason: 'no seed answers' }), /kvorum-3 is waiting \(no seed answers\)/],
  [node(3, { unready: ['data: not placed'] }), /kvorum-3 is not ready \(data: not placed\)/],
  [node(3, { epoch: 6 }), /epochs differ \(6, 7\)/],
  [node(3, { clusterId: 'b'.repeat(32) }), /more than one cluster/],
  [node(3, { quorum: 'degraded' }), /quorum degraded \(kvorum-3 is gone\)/],
  [node(3, { voters: [1, 2] }), /2 of 3 voters so far/],
  [node(3, { alive: 2 }), /kvorum-3 sees 2 of 3 members alive/],
];
for (const [third, expected] of PROBLEMS)
  test(`not well: ${expected.source}`, () => {
    const verdict = verdictOf([node(1), node(2), third]);
    assert.equal(verdict.isWell, false);
    assert.match(verdict.text, expected);
  });

test('a reason that several nodes give is told once', () => {
  const unready = ['data: not placed'];
  const { text } = verdictOf([node(1, { unready }), node(2, { unready }), node(3)]);
  assert.equal(text, 'not well: kvorum-1, kvorum-2 are not ready (data: not placed)');
});

test('nothing is not well', () => {
  assert.deepEqual(verdictOf([]), { isWell: false, text: 'not well: no node runs' });
});

test('where a key lives is told as it is, also where nodes joined that hold nothing', () => {
  const placed = { isPlaced: true, without: [] };
  assert.equal(
    placementText({ ...placed, replicationFactor: 3 }),
    'data: replicationFactor 3: each key lives on 3 nodes, and its requests need 2 of them',
  );
  assert.equal(
    placementText({ ...placed, replicationFactor: 1, without: ['kvorum-2', 'kvorum-3'] }),
    'data: replicationFactor 1: each key lives on one node, and its requests need that node; ' +
      'no data on kvorum-2, kvorum-3 yet: ./dev.sh cli operations tells how far it is',
  );
  assert.match(placementText({ replicationFactor: 3, isPlaced: false, without: [] }), /not placed yet/);
});

test('a table has its columns below each other', () => {
  assert.equal(
    table([
      ['name', 'pid'],
      ['kvorum-1', '7'],
    ]),
    'name      pid\nkvorum-1  7\n',
  );
});
