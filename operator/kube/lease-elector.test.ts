import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settle } from '../../store/io/settle.ts';
import { systemClock } from '../../store/io/system-clock.ts';
import type { Clock } from '../../store/ports/clock.ts';
import { SimClock } from '../../store/sim/sim-clock.ts';
import { createSimRandom } from '../../store/sim/sim-random.ts';
import { FakeApiServer } from '../testing/fake-api-server.ts';
import { KubeClient } from './kube-client.ts';
import { plainConnection } from './kube-connection.ts';
import { silentLog } from './kube-log.ts';
import { LeaseElector } from './lease-elector.ts';
import { leases } from './resources.ts';

const LEASE = { namespace: 'n', name: 'operator' };

type Candidate = {
  readonly identity: string;
  readonly elector: LeaseElector;
  readonly changes: string[];
  readonly stopping: AbortController;
  /** Ends what the leader does after it was told to. */
  readonly finish: () => void;
  end: string | undefined;
};

/** Candidates over one server, on one monotonic clock that moves only while no request is under way. */
async function setup(seed = 1) {
  const server = await FakeApiServer.start();
  const connection = plainConnection(server.url);
  const client = new KubeClient({ fieldManager: 'me' }, { connection, clock: systemClock });
  const clock = new SimClock(Date.UTC(2026, 0, 1));
  const random = createSimRandom(seed);
  const candidates: Candidate[] = [];
  let underWay = 0;
  const counted =
    <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      underWay++;
      return await call(...args).finally(() => underWay--);
    };
  const api = {
    get: counted(client.get.bind(client)) as KubeClient['get'],
    create: counted(client.create.bind(client)) as KubeClient['create'],
    update: counted(client.update.bind(client)) as KubeClient['update'],
  };
  const leaders = (): string[] =>
    candidates.filter(({ elector }) => elector.isLeading).map(({ identity }) => identity);
  const quiet = async (hanging = 0): Promise<void> => {
    do await settle();
    while (underWay > hanging);
    await settle();
    assert.ok(leaders().length <= 1, `${leaders()} lead at once`);
  };
  /** Lets time pass, from timer to timer; `hanging` requests are not waited for. */
  const pass = async (ms: number, hanging = 0): Promise<void> => {
    const endMs = clock.monotonicMs() + ms;
    await quiet(hanging);
    for (let dueMs = clock.nextDueMs(); dueMs !== undefined && dueMs <= endMs; dueMs = clock.nextDueMs()) {
      clock.advance(dueMs - clock.monotonicMs());
      await quiet(hanging);
    }
    clock.advance(endMs - clock.monotonicMs());
    await quiet(hanging);
  };
  const join = (identity: string, { wallAheadMs = 0, isObedient = true } = {}): Candidate => {
    const own: Clock = {
      nowMs: () => clock.nowMs() + wallAheadMs,
      monotonicMs: () => clock.monotonicMs(),
      setTimer: (delayMs, callback) => clock.setTimer(delayMs, callback),
    };
    const changes: string[] = [];
    const onChange = (isLeading: boolean): void => void changes.push(isLeading ? 'leads' : 'ended');
    const elector = new LeaseElector(
      { ...LEASE, identity },
      { client: api, clock: own, random, log: silentLog, onChange },
    );
    const finished = Promise.withResolvers<void>();
    const stopping = new AbortController();
    const candidate: Candidate = {
      identity,
      elector,
      changes,
      stopping,
      finish: finished.resolve,
      end: undefined,
    };
    const lead = async (leading: AbortSignal): Promise<void> => {
      leading.addEventListener('abort', () => {
        changes.push('told to end');
        if (isObedient) finished.resolve();
      });
      await finished.promise;
    };
    void elector.run(lead, stopping.signal).then((end) => {
      candidate.end = end;
    });
    candidates.push(candidate);
    return candidate;
  };
  const lease = () => server.get(leases, LEASE)?.spec;
  const dispose = async (): Promise<void> => {
    for (const { stopping, finish } of candidates) {
      stopping.abort();
      finish();
    }
    await connection.close();
    await server[Symbol.asyncDispose]();
  };
  return { server, clock, join, pass, leaders, lease, [Symbol.asyncDispose]: dispose };
}

test('the first one leads, the second waits, and the lease says who, with micro times', async () => {
  await using world = await setup();
  world.join('a');
  await world.pass(0);
  world.join('b');
  await world.pass(60_000);
  assert.deepEqual(world.leaders(), ['a']);
  const lease = world.lease();
  assert.deepEqual(
    [lease?.holderIdentity, lease?.leaseDurationSeconds, lease?.leaseTransitions],
    ['a', 15, 0],
  );
  assert.equal(lease?.acquireTime, '2026-01-01T00:00:00.000000Z');
  assert.equal(lease?.renewTime, '2026-01-01T00:01:00.000000Z');
});

test('a leader that stops ends its work, gives the lease back after that, and the next one leads at its next try', async () => {
  await using world = await setup();
  const first = world.join('a', { isObedient: false });
  await world.pass(0);
  const second = world.join('b');
  await world.pass(10_000);
  first.stopping.abort();
  // Its work takes a while: it keeps the lease until that is over.
  await world.pass(30_000);
  assert.deepEqual([world.lease()?.holderIdentity, first.end], ['a', undefined]);
  first.finish();
  await world.pass(0);
  assert.deepEqual([world.lease()?.holderIdentity, first.end], ['', 'stopped']);
  assert.deepEqual(first.changes, ['leads', 'told to end', 'ended']);
  await world.pass(4400);
  assert.deepEqual([world.leaders(), second.changes], [['b'], ['leads']]);
  assert.equal(world.lease()?.leaseTransitions, 1);
});

test('a leader that dies is followed when its lease is over, not before', async () => {
  await using world = await setup();
  world.join('b-waits');
  world.server.put(leases, {
    metadata: LEASE,
    spec: {
      holderIdentity: 'dead',
      leaseDurationSeconds: 15,
      leaseTransitions: 4,
      renewTime: '2001-01-01T00:00:00.000000Z',
    },
  });
  await world.pass(14_900);
  assert.deepEqual(world.leaders(), []);
  await world.pass(100 + 4400 + 4400);
  assert.deepEqual([world.leaders(), world.lease()?.leaseTransitions], [['b-waits'], 5]);
});

test('wrong clocks: an hour ahead or behind, nobody takes a lease that is renewed', async () => {
  await using world = await setup();
  world.join('a');
  await world.pass(0);
  const hour = 3_600_000;
  world.join('ahead', { wallAheadMs: hour });
  world.join('behind', { wallAheadMs: -hour });
  await world.pass(300_000);
  assert.deepEqual([world.leaders(), world.lease()?.leaseTransitions], [['a'], 0]);
});

test('a leader that cannot renew ends before others may lead', async () => {
  await using world = await setup();
  const first = world.join('a');
  await world.pass(0);
  await world.pass(1000);
  world.server.onCall(() => ({ type: 'status', status: 500 }));
  await world.pass(8999);
  assert.deepEqual(world.leaders(), ['a']);
  await world.pass(1);
  assert.deepEqual([world.leaders(), first.end], [[], 'lost']);
  assert.deepEqual(first.changes, ['leads', 'told to end', 'ended']);
});

test('a renewal that hangs ends at the deadline', async () => {
  await using world = await setup();
  const first = world.join('a');
  await world.pass(0);
  world.server.onCall(() => ({ type: 'hang' }));
  await world.pass(9999, 1);
  assert.deepEqual(world.leaders(), ['a']);
  await world.pass(1, 1);
  assert.deepEqual([world.leaders(), first.end], [[], 'lost']);
});

test('a leader whose lease somebody else has ends at once', async () => {
  await using world = await setup();
  const first = world.join('a');
  await world.pass(0);
  world.server.change(leases, LEASE, (lease) => ({
    ...lease,
    spec: { ...lease.spec, holderIdentity: 'thief' },
  }));
  await world.pass(2000);
  assert.deepEqual([first.end, first.changes], ['lost', ['leads', 'told to end', 'ended']]);
  assert.equal(world.lease()?.holderIdentity, 'thief');
});

test('a leader goes on through a few failures and through the deletion of its lease', async () => {
  await using world = await setup();
  const first = world.join('a');
  await world.pass(0);
  world.server.inject({ type: 'status', status: 500 }, { times: 2 });
  world.server.inject({ type: 'drop', isApplied: true }, { when: ({ verb }) => verb === 'update' });
  await world.pass(20_000);
  world.server.remove(leases, LEASE);
  await world.pass(20_000);
  assert.deepEqual([world.leaders(), first.changes], [['a'], ['leads']]);
});

test('of two who find the lease free at once, one leads', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    await using world = await setup(seed);
    const [a, b] = [world.join('a'), world.join('b')];
    await world.pass(5000);
    assert.equal(a.changes.length + b.changes.length, 1);
  }
});

test('a candidate that is stopped while it waits never leads', async () => {
  await using world = await setup();
  world.join('a');
  await world.pass(0);
  const second = world.join('b');
  await world.pass(5000);
  second.stopping.abort();
  await world.pass(0);
  assert.deepEqual([second.end, second.changes], ['stopped', []]);
});

test('whatever the server does, two never lead at once, and one leads when it is well again', async () => {
  for (let seed = 1; seed <= 10; seed++) {
    await using world = await setup(seed);
    const random = createSimRandom(seed * 7919);
    const names = ['a', 'b', 'c'];
    let next = 0;
    const rejoin = (name: string): void => {
      const candidate = world.join(`${name}${next++}`, {
        wallAheadMs: Math.floor((random.unit() - 0.5) * 1e7),
      });
      const again = setInterval(() => {
        if (candidate.end !== 'lost') return;
        clearInterval(again);
        rejoin(name);
      });
      candidate.stopping.signal.addEventListener('abort', () => clearInterval(again));
    };
    for (const name of names) rejoin(name);
    world.server.onCall(() => {
      const dice = random.unit();
      if (dice < 0.2) return { type: 'drop', isApplied: dice < 0.1 };
      return dice < 0.4 ? { type: 'status', status: 503 } : undefined;
    });
    await world.pass(120_000);
    world.server.heal();
    await world.pass(60_000);
    assert.equal(world.leaders().length, 1, `seed ${seed}`);
  }
});

test('times that leave no room between the end of leading and the end of the lease are refused', () => {
  const deps = { client: {} as KubeClient, clock: systemClock, random: createSimRandom(1), log: silentLog };
  const options = { ...LEASE, identity: 'a', leaseMs: 10_000, renewDeadlineMs: 10_000 };
  assert.throws(() => new LeaseElector(options, deps), /leaseMs \(10000\) must exceed renewDeadlineMs/);
});
