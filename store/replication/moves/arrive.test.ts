import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toEpoch, toMoveSession } from '../../core/topology/types.ts';
import type { DataRequest } from '../../peer/data-messages.ts';
import { arrive } from './arrive.ts';
import { DEFAULT_MOVE_LIMITS, type TransferDeps } from './move-options.ts';

const AT = { partition: 7, session: toMoveSession(3), epoch: toEpoch(3) };
const NEVER = new AbortController().signal;
const OPTIONS = { self: 4, limits: DEFAULT_MOVE_LIMITS };

/** A member whose disk has room for `roomBytes`; members but 1 say how large the partition is. */
function world(roomBytes: number) {
  const asked: string[] = [];
  const deps = {
    asker: {
      async ask(type: string, { to }: DataRequest) {
        asked.push(`${type} ${to}`);
        if (type !== 'report' || to === 1) return { type: 'failed', reason: 'TIMEOUT', epoch: undefined };
        const owned = [{ partition: AT.partition, entries: 1, bytes: 500 }];
        return { type: 'report', report: { received: [], owned, hints: [], freeBytes: 0 } };
      },
    },
    replica: { hasEntered: () => false },
    whyNoRoom: (_at: typeof AT, bytes: number) => (bytes > roomBytes ? `no room for ${bytes}` : undefined),
  } as unknown as TransferDeps;
  return { asked, deps };
}

test('nothing is taken of a partition for which there is no room, as large as a member of the set says that it is', async () => {
  const { asked, deps } = world(499);
  const arrived = await arrive(OPTIONS, deps, AT, [1, 2, 3], NEVER);
  assert.deepEqual(arrived, { type: 'not-yet', reason: 'no room for 500' });
  assert.deepEqual(asked, ['report 1', 'report 2'], 'nobody was asked for promises');
});

test('with room it goes on, and asks what the set before promised', async () => {
  const { asked, deps } = world(500);
  const arrived = await arrive(OPTIONS, deps, AT, [1, 2, 3], NEVER);
  assert.match(JSON.stringify(arrived), /0 of the set before answer under epoch 3/);
  assert.deepEqual(asked.slice(2), ['roots 1', 'roots 2', 'roots 3']);
});
