import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyCommand } from './apply.ts';
import { decodeCommand, decodeState, encodeCommand, encodeState } from './codec.ts';
import type { CommandOf } from './command.ts';
import { createTopology } from './genesis.ts';
import type { TopologyState } from './types.ts';

const ANNOUNCED = { peerAddress: 'a:1', httpAddress: 'a:2', zone: '', version: '1' };
const STATE = createTopology({
  clusterId: '0'.repeat(32),
  settings: { partitions: 1, replicationFactor: 1 },
  createdAtMs: 0,
  first: { name: 'one', directoryId: 'd', weight: 100, incarnation: 1, life: 'l1', ...ANNOUNCED },
});

function started(state: TopologyState, incarnation: number, respAddress?: string): TopologyState {
  const lives = Array.from({ length: incarnation }, (_, i) => `l${i + 1}`);
  const start = { type: 'start', member: 1, directoryId: 'd', incarnation, lives, ...ANNOUNCED } as const;
  const command: CommandOf<'start'> = respAddress === undefined ? start : { ...start, respAddress };
  assert.deepEqual(decodeCommand(encodeCommand(command)), command);
  return applyCommand(state, command).state;
}

const formatOf = (bytes: Uint8Array): number =>
  (JSON.parse(Buffer.from(bytes).toString()) as { format: number }).format;

test('a member says where clients of Redis reach it at each start, and nothing where it serves none', () => {
  const opened = started(STATE, 2, 'a:6379');
  assert.equal(opened.members.get(1)?.respAddress, 'a:6379');
  assert.deepEqual(decodeState(encodeState(opened)), opened);
  assert.equal(formatOf(encodeState(opened)), 3);
  const closed = started(opened, 3);
  assert.ok(!Object.hasOwn(closed.members.get(1) ?? {}, 'respAddress'));
  assert.equal(formatOf(encodeState(closed)), 1, 'a state without it has the bytes that it always had');
  assert.deepEqual(decodeState(encodeState(closed)), closed);
});

test('the same start with another address for clients of Redis is a change', () => {
  const opened = started(STATE, 2, 'a:6379');
  assert.equal(started(opened, 2, 'a:6379').epoch, opened.epoch);
  assert.equal(started(opened, 2, 'a:6380').members.get(1)?.respAddress, 'a:6380');
});
