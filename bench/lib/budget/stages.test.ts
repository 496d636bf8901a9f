import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import type { Frame } from '../flame-graph.ts';
import { STAGE_OF_PREFIX, STAGES, stageTimes } from './stages.ts';

const frame = (name: string, place: string, selfMs: number, children: readonly Frame[] = []): Frame => ({
  name,
  place,
  selfMs,
  totalMs: 0,
  children: new Map(children.map((child, i) => [String(i), child])),
});

test('stageTimes: a function counts for the nearest caller with a stage, and nothing is lost', () => {
  const root = frame('all', '', 0, [
    frame('(garbage collector)', '', 7),
    frame('(program)', '', 11),
    frame('onStreamRead', 'node:internal/stream_base_commons:1', 1, [
      frame('#onData', 'store/io/resp/connection.ts:10', 2, [
        frame('compareBytes', 'store/core/bytes/bytes.ts:1', 3),
        frame('write', 'store/replication/coordinator/write.ts:4', 4, [frame('push', '', 5)]),
        frame('writeGeneric', 'node:net:5', 1, [frame('writev', '', 6)]),
      ]),
    ]),
  ]);
  const times = stageTimes(root);
  const some = Object.fromEntries([...times].filter(([, ms]) => ms > 0));
  assert.deepEqual(some, { client: 6, 'client-send': 6, coordinator: 9, node: 1, gc: 7, native: 11 });
});

test('STAGE_OF_PREFIX: names what is there, and stages that are told', () => {
  const ids = new Set(STAGES.map(({ id }) => id));
  for (const [prefix, stage] of STAGE_OF_PREFIX) {
    assert.ok(existsSync(prefix) || existsSync(`${prefix}.ts`), prefix);
    assert.ok(ids.has(stage), stage);
  }
});
