import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RecoveryReport } from '../../store/cluster/recover-directory.ts';
import { toIndex, toTerm } from '../../store/core/raft/types.ts';
import { type Member, toEpoch } from '../../store/core/topology/types.ts';
import { formatNextStep, formatRanges, formatReport } from './recover-text.ts';

const member = (number: number, name: string): Member => ({
  ...{
    number,
    name,
    directoryId: name,
    weight: 100,
    state: 'up',
    isDraining: false,
    zoneReplaced: undefined,
    incarnation: 1,
    life: 'l',
  },
  ...{ peerAddress: 'h:1', httpAddress: 'h:2', zone: '', version: '0.1.0' },
});

const REPORT: RecoveryReport = {
  clusterId: 'a'.repeat(32),
  member: { number: 2, name: 'kvorum-2' },
  epoch: toEpoch(9),
  log: {
    ...{ snapshot: toIndex(4), readableTo: toIndex(9), last: toIndex(12) },
    ...{ term: toTerm(3), committed: toIndex(7), damage: 'entry 10 fails its checksum' },
  },
  uncertain: [
    {
      ...{ index: toIndex(8), term: toTerm(2), hasEffect: true },
      command: { type: 'create-namespace', name: 'orders', createdAtMs: 1 },
    },
    {
      ...{ index: toIndex(9), term: toTerm(3), hasEffect: false },
      command: { type: 'remove-member', member: 7 },
    },
  ],
  voters: ['kvorum-1', 'kvorum-2', 'kvorum-3'],
  decidesAlone: false,
  partitions: 8,
  lost: {
    changesAfter: toEpoch(9),
    members: [member(1, 'kvorum-1'), member(3, 'kvorum-3')],
    partitions: [0, 1, 2, 7],
    partitionsBehind: [3, 5],
  },
};

test('the report names what may come back and what is lost', () => {
  assert.equal(
    formatReport(REPORT),
    `cluster     aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, epoch 9
this node   kvorum-2, member 2
voters      kvorum-1, kvorum-2, kvorum-3
log         a snapshot at 4, entries up to 12, term 3
committed   up to 7, as far as this node knows
damaged     entry 10 fails its checksum; readable up to 9, lost from there to 12
uncertain   2 changes that may or may not have been acknowledged, and will hold from now on:
              entry 8: create-namespace orders
              entry 9: remove-member 7 (without effect)
changes     those of the topology after epoch 9, if there were any, are lost
members     dropped: kvorum-1 (1), kvorum-3 (3)
data lost   4 of 8 partitions have no copy here and go on empty: 0-2, 7
data behind 2 of 8 partitions may miss writes that others acknowledged: 3, 5
`,
  );
});

test('a long list of uncertain changes is cut, and says by how much', () => {
  const uncertain = Array.from({ length: 25 }, () => REPORT.uncertain[0] as (typeof REPORT.uncertain)[0]);
  const text = formatReport({ ...REPORT, uncertain });
  assert.match(text, /uncertain {3}25 changes/);
  assert.equal(text.match(/entry 8/g)?.length, 20);
  assert.match(text, /and 5 more/);
});

test('the next step repeats the old id, and says where nothing needs to be done', () => {
  const hint = /starting it is enough/;
  assert.match(formatNextStep(REPORT, '/data'), /--data-dir \/data --confirm a{32}\n/);
  assert.doesNotMatch(formatNextStep(REPORT, '/data'), hint);
  assert.match(formatNextStep({ ...REPORT, decidesAlone: true }, '/data'), hint);
});

test('numbers are shown as ranges', () => {
  assert.equal(formatRanges([]), '');
  assert.equal(formatRanges([3]), '3');
  assert.equal(formatRanges([0, 1, 2, 4, 6, 7]), '0-2, 4, 6-7');
});
