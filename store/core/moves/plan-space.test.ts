import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyCommand } from '../topology/apply.ts';
import { type DiskReport, spaceShortOf } from './plan-space.ts';
import { Drive } from './test-drive.ts';
import { asked, topologyOf } from './test-moves.ts';

const RESERVE = { reserveBytes: 10 };
const drive = new Drive(topologyOf({ members: 4, set: [1, 2, 3], partitions: 4 }), {
  movesMax: 9,
  enteringPerMemberMax: 9,
});
const drained = applyCommand(drive.state, asked({ type: 'drain', member: 3 })).state;
const report = (freeBytes: number | undefined, bytes = 0): DiskReport => ({
  received: [],
  owned: [0, 1, 2, 3].map((partition) => ({ partition, bytes })),
  freeBytes,
});
const reportsOf = (freeBytes: number | undefined) =>
  new Map([1, 2, 3, 4].map((member) => [member, member === 4 ? report(freeBytes) : report(0, 100)]));

test('a plan that brings more to a disk than it has room for is told, with what is missing', () => {
  const short = spaceShortOf(drained, drive.facts, reportsOf(809), RESERVE);
  assert.deepEqual(short, [{ member: 4, freeBytes: 809, arrivingBytes: 400, neededBytes: 810 }]);
  assert.deepEqual(spaceShortOf(drained, drive.facts, reportsOf(810), RESERVE), []);
});

test('who says nothing of its disk, and who is to get nothing, is not told of', () => {
  assert.deepEqual(spaceShortOf(drained, drive.facts, reportsOf(undefined), RESERVE), []);
  assert.deepEqual(spaceShortOf(drained, drive.facts, new Map(), RESERVE), []);
  const balanced = topologyOf({ members: 3, set: [1, 2, 3], partitions: 4 });
  assert.deepEqual(spaceShortOf(balanced, drive.facts, reportsOf(0), RESERVE), []);
});
