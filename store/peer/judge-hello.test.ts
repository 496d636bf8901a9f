import assert from 'node:assert/strict';
import test from 'node:test';
import { judgeHello, type KnownMember } from './judge-hello.ts';
import type { Hello } from './messages.ts';

const CLUSTER = 'a'.repeat(32);
const OTHER_CLUSTER = 'b'.repeat(32);
const UNKNOWN: KnownMember = { type: 'unknown' };

const local: Hello = {
  protocolMin: 2,
  protocolMax: 3,
  name: 'node-1',
  directoryId: 'dir-1',
  peerAddress: '10.0.0.1:7401',
  version: '1.0.0',
  clusterId: CLUSTER,
  member: { number: 1, incarnation: 4, lives: ['life-1'] },
};
const remote: Hello = {
  ...local,
  name: 'node-2',
  directoryId: 'dir-2',
  peerAddress: '10.0.0.2:7401',
  member: { number: 2, incarnation: 6, lives: ['life-2'] },
};
const known = (change: Partial<Extract<KnownMember, { type: 'member' }>> = {}): KnownMember => ({
  type: 'member',
  name: 'node-2',
  directoryId: 'dir-2',
  incarnation: 6,
  life: 'life-2',
  ...change,
});
const code = (hello: Hello, about: KnownMember, self = local) => judgeHello(self, hello, about)?.code;

test('a member as the topology knows it is let in, and so is its next start', () => {
  assert.equal(code(remote, known()), undefined);
  assert.equal(code(remote, known({ incarnation: 5, life: 'an older life' })), undefined);
});

test('a number that was never seen is let in: this node may lag behind', () => {
  assert.equal(code(remote, UNKNOWN), undefined);
});

test('a member that has a number and has not started yet is let in with any incarnation', () => {
  assert.equal(code(remote, known({ incarnation: 0, life: '' })), undefined);
});

for (const [theirs, expected] of [
  [[1, 1], 'WRONG_PROTOCOL'],
  [[1, 2], undefined],
  [[3, 9], undefined],
  [[4, 9], 'WRONG_PROTOCOL'],
] as const) {
  test(`versions ${theirs[0]} to ${theirs[1]} beside 2 to 3: ${expected ?? 'let in'}`, () => {
    const hello = { ...remote, protocolMin: theirs[0], protocolMax: theirs[1] };
    const refusal = judgeHello(local, hello, known());
    assert.equal(refusal?.code, expected);
    if (refusal !== undefined)
      assert.match(refusal.message, new RegExp(`2 to 3.*${theirs[0]} to ${theirs[1]}`));
  });
}

test('another cluster is refused with both ids, whatever else is wrong with it', () => {
  const refusal = judgeHello(local, { ...remote, clusterId: OTHER_CLUSTER }, { type: 'removed' });
  assert.equal(refusal?.code, 'WRONG_CLUSTER');
  assert.match(refusal?.message ?? '', new RegExp(`${CLUSTER}.*${OTHER_CLUSTER}`));
});

test('a node that waits for a cluster may link to any, in both directions', () => {
  const waiting: Hello = { ...remote, clusterId: undefined, member: undefined };
  assert.equal(code(waiting, UNKNOWN), undefined);
  assert.equal(code(remote, UNKNOWN, { ...waiting, directoryId: 'dir-3' }), undefined);
});

test('itself is refused, with a cluster and without', () => {
  assert.equal(code(local, known()), 'SELF');
  const waiting: Hello = { ...local, clusterId: undefined, member: undefined };
  assert.equal(code(waiting, UNKNOWN, waiting), 'SELF');
});

test('a copy of its own directory is no link to itself: the life tells', () => {
  const copy: Hello = { ...local, member: { number: 1, incarnation: 4, lives: ['life-9'] } };
  const self = known({ name: 'node-1', directoryId: 'dir-1', incarnation: 4, life: 'life-1' });
  assert.equal(code(copy, self), 'STALE_MEMBER');
});

test('a removed member is refused and told how to join again', () => {
  const refusal = judgeHello(local, remote, { type: 'removed' });
  assert.equal(refusal?.code, 'REMOVED_MEMBER');
  assert.match(refusal?.message ?? '', /member 2 \(node-2\) was removed.*empty data directory/);
});

test('one cluster: another directory under the same number is another cluster by the same id: nobody is told to give up', () => {
  for (const incarnation of [0, 6]) {
    const refusal = judgeHello(local, remote, known({ directoryId: 'dir-7', incarnation }));
    assert.equal(refusal?.code, 'WRONG_CLUSTER');
    assert.match(
      refusal?.message ?? '',
      /data directory dir-7, not node-2 with dir-2: two clusters were made with the id/,
    );
  }
});

const stale: Record<string, [KnownMember, RegExp]> = {
  'an older incarnation': [
    known({ incarnation: 7 }),
    /saw incarnation 7 of member 2 .* now in 6, does not know/,
  ],
  'the same incarnation with another life': [known({ life: 'life-8' }), /does not know/],
};
for (const [what, [about, message]] of Object.entries(stale)) {
  test(`${what} is stale, and told to come back with an empty directory`, () => {
    const refusal = judgeHello(local, remote, about);
    assert.equal(refusal?.code, 'STALE_MEMBER');
    assert.match(refusal?.message ?? '', message);
    assert.match(refusal?.message ?? '', /start node-2 with an empty one/);
  });
}
