import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { PartitionView } from '../core/quorum/replica-sets.ts';
import type { MemberId } from '../core/raft/types.ts';
import { type Epoch, type Member, type TopologyState, toEpoch } from '../core/topology/types.ts';
import { askingOrder, createRouting, type RoutingDeps } from './routing.ts';

const member = (number: MemberId): Member => ({
  ...{ number, name: `m-${number}`, directoryId: `d${number}`, incarnation: 1, life: 'l', weight: 100 },
  ...{
    peerAddress: 'a:1',
    httpAddress: 'a:2',
    zone: '',
    version: '1',
    state: 'up',
    isDraining: false,
    zoneReplaced: undefined,
  },
});

class FakeWorld {
  state: TopologyState | undefined;
  readonly down = new Set<MemberId>();
  readonly #topologyListeners = new Set<() => void>();
  readonly #livenessListeners = new Set<() => void>();

  deps(): RoutingDeps {
    const on = (listeners: Set<() => void>) => (listener: () => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    };
    const state = (): TopologyState | undefined => this.state;
    const topology = {
      get state() {
        return state();
      },
      onChange: on(this.#topologyListeners),
      waitFor: async (condition: (epoch: Epoch) => boolean) => condition(this.state?.epoch ?? toEpoch(0)),
    };
    return { topology, isUp: (each) => !this.down.has(each), onLiveness: on(this.#livenessListeners) };
  }

  become(epoch: number, sets: readonly (readonly MemberId[])[], members: readonly MemberId[]): void {
    this.state = {
      ...{ clusterId: '1'.repeat(32), epoch: toEpoch(epoch), nextMember: 99, nextNamespaceId: 2 },
      ...{ operations: [], stopLeases: [] },
      settings: { partitions: sets.length, replicationFactor: 3 },
      members: new Map(members.map((number) => [number, member(number)])),
      partitions: sets.map((replicas) => ({ replicas, epoch: toEpoch(epoch) })),
      namespaces: new Map(),
    };
    for (const listener of this.#topologyListeners) listener();
  }

  gossip(): void {
    for (const listener of this.#livenessListeners) listener();
  }

  get listeners(): number {
    return this.#topologyListeners.size + this.#livenessListeners.size;
  }
}

const setOf = (view: PartitionView | undefined): readonly MemberId[] =>
  view?.sets.type === 'still' ? view.sets.set : [];

test('routing: nothing until the partitions are placed, then the same view until something changes', () => {
  const world = new FakeWorld();
  const routing = createRouting({ self: 2, partitions: 1 }, world.deps());
  assert.equal(routing.viewOf(0), undefined);
  assert.equal(routing.isUp(1), false);
  world.become(4, [[1, 2, 3]], [1, 2, 3]);
  const view = routing.viewOf(0);
  assert.equal(view?.epoch, 4);
  assert.equal(setOf(view)[0], 2, 'itself first');
  world.gossip();
  assert.equal(routing.viewOf(0), view, 'gossip that tells nothing new makes no new view');
  world.down.add(3);
  world.gossip();
  assert.deepEqual(setOf(routing.viewOf(0)), [2, 1, 3]);
  assert.deepEqual(
    [routing.isUp(3), routing.isUp(1), routing.isUp(2), routing.isUp(9)],
    [false, true, true, false],
  );
  world.become(5, [[1, 3, 4]], [1, 3, 4]);
  assert.equal(routing.viewOf(0)?.epoch, 5);
  assert.deepEqual([routing.nameOf(4), routing.nameOf(2)], ['m-4', 'member-2']);
});

test('routing: listeners hear of changes of the topology and of who is up, and of nothing else', () => {
  const world = new FakeWorld();
  const routing = createRouting({ self: 1, partitions: 1 }, world.deps());
  let heard = 0;
  const forget = routing.onChange(() => heard++);
  world.become(1, [[1, 2, 3]], [1, 2, 3]);
  assert.equal(heard, 1);
  world.gossip();
  assert.equal(heard, 1);
  world.down.add(2);
  world.gossip();
  assert.equal(heard, 2);
  world.down.delete(2);
  world.gossip();
  assert.equal(heard, 3);
  forget();
  world.become(2, [[1, 2, 3]], [1, 2, 3]);
  assert.equal(heard, 3);
  routing.close();
  assert.equal(world.listeners, 0);
});

test('routing: whoever hears of a topology first is shown its sets already', () => {
  const world = new FakeWorld();
  const deps = world.deps();
  const shown: (readonly MemberId[])[] = [];
  deps.topology.onChange(() => void shown.push(setOf(routing.viewOf(0))));
  const routing = createRouting({ self: 1, partitions: 1 }, deps);
  world.become(1, [[1, 2]], [1, 2, 3]);
  world.become(2, [[3]], [1, 2, 3]);
  assert.deepEqual(
    shown.map((set) => [...set].sort()),
    [[1, 2], [3]],
  );
});

test('routing: waits for an epoch of the topology', async () => {
  const world = new FakeWorld();
  const routing = createRouting({ self: 1, partitions: 1 }, world.deps());
  world.become(3, [[1]], [1]);
  const { signal } = new AbortController();
  assert.equal(await routing.waitForEpoch(toEpoch(3), signal), true);
  assert.equal(await routing.waitForEpoch(toEpoch(4), signal), false);
});

test('askingOrder: the whole set, this member first, then who is up, the faster the earlier', () => {
  const replicas = fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });
  const ups = fc.uniqueArray(fc.integer({ min: 1, max: 9 }));
  const latencies = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 10, maxLength: 10 });
  fc.assert(
    fc.property(
      replicas,
      ups,
      latencies,
      fc.nat(100),
      fc.integer({ min: 1, max: 9 }),
      (set, up, ms, partition, self) => {
        const latencyMs = (each: MemberId): number => ms[each] ?? 0;
        const order = askingOrder(set, { partition, self, up: new Set(up), latencyMs });
        assert.deepEqual([...order].sort(), [...set].sort());
        const costs = order.map((each) =>
          each === self ? -1 : latencyMs(each) + (up.includes(each) ? 0 : 100),
        );
        assert.deepEqual(
          costs,
          costs.toSorted((a, b) => a - b),
        );
      },
    ),
  );
});

test('askingOrder: over all partitions each replica is the first to be asked about as often', () => {
  const counts = new Map<MemberId, number>();
  for (let partition = 0; partition < 300; partition++) {
    const [first = 0] = askingOrder([1, 2, 3], { partition, self: 9, up: new Set([1, 2, 3]) });
    counts.set(first, (counts.get(first) ?? 0) + 1);
  }
  assert.deepEqual([...counts.values()], [100, 100, 100]);
});
