import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KeyExplanation, KeyReport, RepairStatus } from '@kvorum/client';
import { formatAgo } from '../lib/time-text.ts';
import { formatExplanation } from './explain-text.ts';
import { repairText, verifyLine } from './repair-text.ts';
import { formatRing, loadBar } from './ring-text.ts';

const NOW_MS = Date.UTC(2026, 0, 2);
const ago = (ms: number): string => new Date(NOW_MS - ms).toISOString();
const stamp = (ms: number): string => `${(NOW_MS - ms).toString(16).padStart(12, '0')}-0000-1`;

const REPORT: KeyReport = {
  ...{ epoch: 12, version: '019b7a1fe2c1-0000-2', isTombstone: false, bytes: 312, isCorrupt: false },
  ...{ floor: stamp(9000), watermark: stamp(12_000), treeState: 'ready' },
  lastExchange: [
    { member: 2, at: ago(2500) },
    { member: 3, at: ago(8000) },
  ],
};

test('formatExplanation: the answer, the place, and a row for each replica', () => {
  const explanation: KeyExplanation = {
    ...{ namespace: 'default', slot: 5474, partition: 85, epoch: 12, safety: 'degraded' },
    verdict:
      '2 of 3 replicas hold version 019b7a1fe2c1-0000-2, a quorum: safe; kvorum-3 does not answer (TIMEOUT)',
    replicas: [
      { member: 1, name: 'kvorum-1', isUp: true, isReachable: true, report: REPORT },
      {
        ...{ member: 2, name: 'kvorum-2', isUp: true, isReachable: true },
        report: {
          ...REPORT,
          isTombstone: true,
          watermark: '000000000000-0000-0',
          lastExchange: [],
          treeState: 'building',
        },
      },
      { member: 3, name: 'kvorum-3', isUp: false, isReachable: false, error: 'TIMEOUT' },
    ],
    hints: [{ keeper: 'kvorum-1', owner: 'kvorum-3', version: '019b7a1fe2c1-0000-2' }],
  };
  assert.equal(
    formatExplanation('user:17', explanation, NOW_MS, (text) => `<${text}>`),
    `<degraded>    2 of 3 replicas hold version 019b7a1fe2c1-0000-2, a quorum: safe
            kvorum-3 does not answer (TIMEOUT)
key         user:17 in namespace default
where       slot 5474, partition 85 of epoch 12
hints       kvorum-1 for kvorum-3 (019b7a1fe2c1-0000-2)

REPLICA   UP   ANSWERS      HOLDS                       BYTES  EXPIRES  SETTLED UP TO  COMPARED  TREE
kvorum-1  yes  yes          019b7a1fe2c1-0000-2         312    -        12 s ago       2 s ago   ready
kvorum-2  yes  yes          delete 019b7a1fe2c1-0000-2  312    -        nothing yet    never     building
kvorum-3  no   no: TIMEOUT  ?
`,
  );
});

test('formatRing: an uneven ring says who holds too much, zones are told', () => {
  const member = (number: number, zone: string) => ({
    ...{ number, name: `n${number}`, httpAddress: 'h:1', zone, isUp: true, weight: 100 },
  });
  const held = (number: number, partitions: number, zone: string) => ({
    ...{ member: number, zone, partitions, primaries: 1, ideal: 8, deviation: partitions - 8 },
  });
  const zone = (name: string) => ({
    zone: name,
    members: 1,
    replicas: 8,
    primaries: 1,
    ideal: 8,
    deviation: 0,
  });
  const text = formatRing({
    ...{ epoch: 3, partitions: 8, replicationFactor: 2, sets: [] },
    members: [member(1, 'a'), member(2, 'b')],
    balance: { members: [held(1, 11, 'a'), held(2, 5, 'b')], zones: [zone('a'), zone('b')] },
  });
  assert.match(text, /^balance {5}uneven: n1 holds 3\.0 partitions more than its ideal$/m);
  assert.match(text, /^zones {7}a 8 replicas on 1 members, b 8 replicas on 1 members$/m);
  assert.match(text, /^n1 .* 8\.0 {4}###############\+{5}$/m);
  assert.match(text, /^n2 .* 8\.0 {4}#########\.{6}$/m);
});

test('loadBar shows what is held, missing and beyond', () => {
  assert.deepEqual(
    [loadBar(10, 10, 10), loadBar(5, 10, 10), loadBar(10, 5, 10), loadBar(0, 0, 10)],
    ['#'.repeat(20), '##########..........', '##########++++++++++', ''],
  );
});

test('repairText tells what is not as it should be', () => {
  const status: RepairStatus = {
    replica: { state: 'out', reason: '40 records fail their checksums' },
    hints: { bytes: 0, count: 0, owners: [] },
    exchange: { partitions: 256, partitionsEqual: 200, keysRepaired: 0, bytesSent: 0 },
    trees: { ready: 250, building: 6 },
  };
  assert.equal(
    repairText(status, NOW_MS),
    'OUT: 40 records fail their checksums; 200 of 256 partitions equal, never compared; no hints; 6 trees are being built',
  );
});

test('verifyLine and formatAgo', () => {
  assert.equal(
    verifyLine({ done: 64, total: 256 }, true),
    '[######..................] 64 of 256 partitions compared',
  );
  assert.equal(verifyLine({ done: 0, total: 0 }, false), '0 of 0 partitions compared');
  const times = [-5, 0, 999, 1000, 119_000, 120_000, 7_200_000, 200_000_000];
  assert.deepEqual(
    times.map((ms) => formatAgo(NOW_MS - ms, NOW_MS)),
    ['now', 'now', 'now', '1 s ago', '119 s ago', '2 min ago', '2 h ago', '2 d ago'],
  );
});
