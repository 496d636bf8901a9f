import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { findTool } from '../../charts/generate/find-tool.ts';
import { type Fault, TestServer } from '../../client/src/test-server.ts';
import { Load, type LoadReport } from './load.ts';

/** The load against stores that keep their promises and that break them. TEST_REQUIRES_K6=1 makes a missing k6 a failure. */

const isMissing = findTool('k6', 'K6') === undefined && process.env.TEST_REQUIRES_K6 !== '1';
const skip = isMissing ? 'k6 is missing: e2e/k6/install-k6.sh builds it, or set K6 to it' : false;
/** What another program on the machine may cost is not what is tested here. */
const LIMITS = { ratePerSecond: 300, errorsMax: 0, droppedMax: 1000, p99MsMax: 30_000 };
const LOAD_MS = 1500;
const [SHUTTING_DOWN, CUT, WRONG]: readonly Fault[] = [
  { type: 'refuse', status: 503, code: 'SHUTTING_DOWN' },
  { type: 'cut-after' },
  { type: 'refuse', status: 400, code: 'BAD_PARAMETER', data: { retryable: false } },
];

type Mischief = {
  /** While k6 runs. */
  readonly during?: (server: TestServer) => Promise<void> | void;
  /** Between the end of k6 and the reading back. */
  readonly after?: (server: TestServer) => void;
};

async function report({ during, after }: Mischief): Promise<LoadReport> {
  await using server = await TestServer.start();
  const directory = await mkdtemp(join(tmpdir(), 'kvorum-load-'));
  let asked = 0;
  const address = async (): Promise<{ url: string }> => {
    asked += 1;
    if (asked > 1) after?.(server);
    return { url: server.url };
  };
  const load = await Load.start(directory, { address }, LIMITS);
  try {
    await load.phase('a phase', async () => {
      await during?.(server);
      await sleep(LOAD_MS);
    });
    return await load.end();
  } finally {
    load.kill();
    await rm(directory, { recursive: true });
  }
}

test('load: an honest store has every key as acknowledged, and the phase all operations', {
  skip,
}, async () => {
  const { problems, acknowledged, keys, keysAsAcknowledged, unknown, phases } = await report({});
  assert.deepEqual([problems, unknown], [[], 0]);
  assert.ok(acknowledged > 20 && keys > 0, `${acknowledged} acknowledged of ${keys} keys`);
  assert.equal(keysAsAcknowledged, keys);
  const [phase, all] = phases;
  assert.ok(
    phase !== undefined && all !== undefined && phase.operations > 50 && all.operations >= phase.operations,
  );
});

test('load: what may be repeated is a retry and no error', { skip }, async () => {
  const during = (server: TestServer): void => void server.faults.push(SHUTTING_DOWN!, CUT!, SHUTTING_DOWN!);
  const { problems, phases } = await report({ during });
  assert.deepEqual(problems, []);
  const all = phases.at(-1);
  assert.deepEqual([all?.errors, all?.retries, all?.codes.SHUTTING_DOWN], [0, 3, 2]);
});

test('load: what may not be repeated is an error, and the threshold says so', { skip }, async () => {
  const { problems, phases } = await report({ during: (server) => void server.faults.push(WRONG!) });
  assert.deepEqual(problems, ['threshold kvorum_errors count<=0 does not hold']);
  assert.equal(phases.at(-1)?.errors, 1);
});

test('load: a store that goes back in time is caught by reads under load', { skip }, async () => {
  const during = async ({ state }: TestServer): Promise<void> => {
    await sleep(2 * LOAD_MS);
    const before = new Map(state.keys);
    await sleep(LOAD_MS);
    for (const key of state.keys.keys()) {
      const old = before.get(key);
      if (old === undefined) state.keys.delete(key);
      else state.keys.set(key, old);
    }
  };
  const { problems } = await report({ during });
  assert.ok(
    problems.some((text) => /^read of load-.* gave/.test(text)),
    problems.join('\n'),
  );
});

test('load: one key that is lost behind the load is missed when it is read back', { skip }, async () => {
  const after = ({ state }: TestServer): void => void state.keys.delete(state.keys.keys().next().value ?? '');
  const { problems, keys, keysAsAcknowledged } = await report({ after });
  assert.equal(keysAsAcknowledged, keys - 1);
  assert.match(problems.join('\n'), /^nothing is there; write \d+ of load-.* was acknowledged/);
});
