import { setTimeout as sleep } from 'node:timers/promises';

/** A cluster whose leader can be killed. Members are counted from 0. */
export type FailoverSystem = {
  readonly nodes: number;
  leader(): Promise<number>;
  kill(i: number): Promise<void>;
  restart(i: number): Promise<void>;
  /** Resolves once the member at `i` has applied what the others have. */
  caughtUp(i: number): Promise<void>;
  /** One change through the member at `i`; rejects where it was not acknowledged. */
  change(i: number, signal: AbortSignal): Promise<void>;
};

/**
 * A new attempt is made through each survivor this often, whatever became of those before: a server may hold one while
 * there is no leader, or have sent it to the dead one, and waiting for that would be measured instead.
 */
const ATTEMPT_EVERY_MS = 25;
const ATTEMPT_TIMEOUT_MS = 500;
const GIVE_UP_MS = 60_000;
/** Rounds begin at any place within a heartbeat. */
const SETTLE_MS = 300;

/**
 * Kills the leader with -9 and asks each survivor, again and again, to make a change; returns the milliseconds
 * from the kill to the first that is acknowledged. Then brings the killed one back.
 */
export async function measureFailover(system: FailoverSystem): Promise<number> {
  const leader = await system.leader();
  await sleep(SETTLE_MS + Math.random() * SETTLE_MS);
  const startMs = performance.now();
  await system.kill(leader);
  const elapsedMs = (await firstChange(system, leader)) - startMs;
  await system.restart(leader);
  await system.caughtUp(leader);
  return elapsedMs;
}

/** When a survivor first acknowledged a change. */
async function firstChange(system: FailoverSystem, killed: number): Promise<number> {
  const survivors = Array.from({ length: system.nodes }, (_, i) => i).filter((i) => i !== killed);
  const giveUpMs = performance.now() + GIVE_UP_MS;
  const done = new AbortController();
  const attempts: Promise<void>[] = [];
  let doneMs: number | undefined;
  const attempt = async (i: number): Promise<void> => {
    try {
      await system.change(i, AbortSignal.any([done.signal, AbortSignal.timeout(ATTEMPT_TIMEOUT_MS)]));
      doneMs ??= performance.now();
    } catch {
      // What it waits for is that one succeeds.
    }
  };
  while (doneMs === undefined && performance.now() < giveUpMs) {
    for (const i of survivors) attempts.push(attempt(i));
    await sleep(ATTEMPT_EVERY_MS);
  }
  done.abort();
  await Promise.all(attempts);
  if (doneMs === undefined)
    throw new Error(`no change succeeded within ${GIVE_UP_MS} ms of the leader's end`);
  return doneMs;
}

/** Polls until `isReached`. */
export async function waitFor(what: string, isReached: () => Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + GIVE_UP_MS;
  while (!(await isReached())) {
    if (performance.now() > deadlineMs) throw new Error(`${what}: not within ${GIVE_UP_MS} ms`);
    await sleep(20);
  }
}
