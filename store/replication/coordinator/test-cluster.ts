import assert from 'node:assert/strict';
import type { PartitionView, ReplicaSets } from '../../core/quorum/replica-sets.ts';
import type { MemberId } from '../../core/raft/types.ts';
import { toEpoch } from '../../core/topology/types.ts';
import type { ReplicaRequest } from '../../peer/replica-messages.ts';
import type { Clock } from '../../ports/clock.ts';
import { SimClock } from '../../sim/sim-clock.ts';
import { KvError } from '../../storage/errors.ts';
import type { KvStore, Namespace } from '../../storage/kv-store.ts';
import type { Hint, ReplicaAsker, Routing } from '../types.ts';
import type { CoordinatorEvents } from './context.ts';
import { Coordinator } from './coordinator.ts';
import { createReplicatedStore, type ReplicatedStore, type ReplicatedStoreDeps } from './replicated-store.ts';
import { TestReplica, TestVersions } from './test-replica.ts';

/** What the network does to a request; to `answerMs` undefined the answer is lost, to `requestMs` the request. */
export type Fate = { readonly requestMs: number | undefined; readonly answerMs: number | undefined };

export const PROMPT: Fate = { requestMs: 1, answerMs: 1 };
export const LOST: Fate = { requestMs: undefined, answerMs: undefined };
export const ANSWER_LOST: Fate = { requestMs: 1, answerMs: undefined };

export type Sent = { readonly from: MemberId; readonly request: ReplicaRequest };

export const NAMESPACE: Namespace = { name: 'default', id: 1, consistency: 'quorum', createdAtMs: 0 };
export const OTHER: Namespace = { name: 'other', id: 2, consistency: 'quorum', createdAtMs: 0 };

export const SETTINGS = {
  requestTimeoutMs: 1000,
  requestTimeoutMsMax: 5000,
  inFlightMax: 100,
  idempotencyKeysMax: 10,
  skewMsMax: 500,
  hedgeMsMin: 10,
};

/** A cluster of coordinators over dumb replicas on a virtual clock, and a network that does as it is told. */
export class TestCluster {
  readonly clock = new SimClock(1_000_000_000);
  readonly nodes = new Map<MemberId, TestNode>();
  readonly sent: Sent[] = [];
  fate: (sent: Sent) => Fate = () => PROMPT;

  constructor(members: readonly MemberId[] = [1, 2, 3], settings: Partial<typeof SETTINGS> = {}) {
    const view = viewOf(1, members);
    for (const member of members)
      this.nodes.set(member, new TestNode(this, member, view, { ...SETTINGS, ...settings }));
  }

  node(member: MemberId): TestNode {
    return this.nodes.get(member) as TestNode;
  }

  /** All nodes apply `view` now. */
  apply(view: PartitionView): void {
    for (const node of this.nodes.values()) node.apply(view);
  }

  /** Requests of `type` that were sent; `member` is whom they went to. */
  sentTo(member: MemberId, type: ReplicaRequest['body']['type']): readonly ReplicaRequest[] {
    return this.sent
      .map(({ request }) => request)
      .filter((one) => one.to === member && one.body.type === type);
  }

  /** Lets time pass until the promise settles. */
  async settle<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false;
    const settled = (): void => {
      isSettled = true;
    };
    promise.then(settled, settled);
    for (let turn = 0; turn < 100_000; turn++) {
      for (let i = 0; i < 12; i++) await undefined;
      if (isSettled) return await promise;
      const dueMs = this.clock.nextDueMs();
      assert.ok(dueMs !== undefined, 'nothing is left to happen, and the promise is open');
      this.clock.advance(dueMs - this.clock.monotonicMs());
    }
    throw new Error('the promise never settles');
  }

  async pass(durationMs: number): Promise<void> {
    const untilMs = this.clock.monotonicMs() + durationMs;
    for (;;) {
      for (let i = 0; i < 12; i++) await undefined;
      const dueMs = this.clock.nextDueMs();
      if (dueMs === undefined || dueMs > untilMs) break;
      this.clock.advance(dueMs - this.clock.monotonicMs());
    }
    this.clock.advance(untilMs - this.clock.monotonicMs());
  }
}

export class TestNode {
  readonly member: MemberId;
  readonly clock: Clock;
  readonly replica: TestReplica;
  readonly versions: TestVersions;
  readonly hints: Hint[] = [];
  readonly counted: string[] = [];
  readonly coordinator: Coordinator;
  readonly store: ReplicatedStore;
  readonly namespaces = new Map([NAMESPACE, OTHER].map((one) => [one.name, one]));
  /** Members that gossip calls down. */
  readonly down = new Set<MemberId>();
  clockOffsetMs = 0;
  /** Serves nothing and answers nothing. */
  isDown = false;
  scan: ReplicatedStoreDeps['scan'] = {
    scanPage: async () => ({ entries: [], resumeAfter: undefined }),
    scanAll,
  };
  catchUp: (signal: AbortSignal) => Promise<void> = async () => {};
  view: PartitionView | undefined;
  readonly #cluster: TestCluster;
  readonly #listeners = new Set<() => void>();

  constructor(cluster: TestCluster, member: MemberId, view: PartitionView, settings: typeof SETTINGS) {
    this.#cluster = cluster;
    this.member = member;
    this.view = view;
    const { clock } = cluster;
    this.clock = {
      nowMs: () => clock.nowMs() + this.clockOffsetMs,
      monotonicMs: () => clock.monotonicMs(),
      setTimer: (delayMs, callback) => clock.setTimer(delayMs, callback),
    };
    this.versions = new TestVersions(member, this.clock);
    this.replica = new TestReplica(member, this.clock, this.versions, () => this.view, settings.skewMsMax);
    this.coordinator = new Coordinator(settings, {
      routing: this.#routing(),
      askReplica: this.#askReplica,
      versions: this.versions,
      clock: this.clock,
      hints: {
        keep: (hint) => this.hints.push(hint),
        ofKey: async () => [],
        status: () => ({ bytes: 0, count: 0, owners: [] }),
      },
      events: this.#events(),
      unplaced: () => new Error('CLUSTER_FORMING'),
    });
    this.store = createReplicatedStore(settings, {
      coordinator: this.coordinator,
      clock: this.clock,
      namespaces: {
        list: () => [...this.namespaces.values()],
        get: (name) => this.namespaces.get(name),
        create: async () => ({ namespace: NAMESPACE, created: false }),
        drop: async ({ name }) => void this.namespaces.delete(name),
      },
      catchUp: (signal) => this.catchUp(signal),
      scan: {
        scanPage: (...query) => this.scan.scanPage(...query),
        scanAll: (...query) => this.scan.scanAll(...query),
      },
    });
  }

  apply(view: PartitionView): void {
    if (this.view !== undefined && view.epoch <= this.view.epoch) return;
    this.view = view;
    for (const listener of [...this.#listeners]) listener();
  }

  put(key: string, value: string, options?: Parameters<KvStore['put']>[3]) {
    return this.store.put('default', bytes(key), { value: bytes(value) }, options);
  }

  delete(key: string) {
    return this.store.delete('default', bytes(key));
  }

  async get(key: string, options?: Parameters<KvStore['get']>[2]): Promise<string | undefined> {
    const record = await this.store.get('default', bytes(key), options);
    return record === undefined ? undefined : Buffer.from(record.value).toString();
  }

  #routing(): Routing {
    const first = (set: readonly MemberId[]): readonly MemberId[] => {
      const rank = (member: MemberId): number => (member === this.member ? 0 : this.down.has(member) ? 2 : 1);
      return set.toSorted((a, b) => rank(a) - rank(b));
    };
    const sorted = (sets: ReplicaSets): ReplicaSets =>
      sets.type === 'still'
        ? { type: 'still', set: first(sets.set) }
        : { type: sets.type, from: first(sets.from), to: first(sets.to) };
    const listen = (listener: () => void): (() => void) => {
      this.#listeners.add(listener);
      return () => void this.#listeners.delete(listener);
    };
    return {
      self: this.member,
      partitions: 1,
      viewOf: () => this.view && { epoch: this.view.epoch, sets: sorted(this.view.sets) },
      isUp: (member) => !this.down.has(member),
      nameOf: (member) => `node-${member}`,
      onChange: listen,
      waitForEpoch: (epoch, signal) =>
        new Promise((resolve) => {
          const look = (): void => {
            const isKnown = (this.view?.epoch ?? 0) >= epoch;
            if (!isKnown && !signal.aborted) return;
            forget();
            resolve(isKnown);
          };
          const forget = listen(look);
          signal.addEventListener('abort', look);
          look();
        }),
    };
  }

  readonly #askReplica: ReplicaAsker['askWith'] = (request, { timeoutMs }, onEnd) => {
    const sent = { from: this.member, request };
    this.#cluster.sent.push(sent);
    const target = this.#cluster.node(request.to);
    // One's own replica answers in the same turn: nothing may rely on an answer being later.
    if (request.to === this.member && !this.isDown)
      return onEnd({ type: 'reply', reply: target.replica.serve(request) });
    let isOpen = true;
    const end = (outcome: Parameters<typeof onEnd>[0]): void => {
      if (isOpen) onEnd(outcome);
      isOpen = false;
    };
    const { clock } = this.#cluster;
    clock.setTimer(timeoutMs, () => end({ type: 'unreachable', code: 'TIMEOUT' }));
    const { requestMs, answerMs } = this.#cluster.fate(sent);
    if (requestMs === undefined) return;
    clock.setTimer(requestMs, () => {
      if (target.isDown) return;
      const reply = target.replica.serve(request);
      if (answerMs !== undefined) clock.setTimer(answerMs, () => end({ type: 'reply', reply }));
    });
  };

  #events(): CoordinatorEvents {
    const count = (what: string): void => void this.counted.push(what);
    return {
      onWrite: (outcome) => count(`write ${outcome}`),
      onRead: (outcome) => count(`read ${outcome}`),
      onHedge: (slow) => count(`hedge ${slow}`),
      onReadRepair: (records) => count(`repair ${records}`),
      onWriteBack: (records) => count(`write-back ${records}`),
      onRestart: () => count('restart'),
    };
  }
}

export const bytes = (text: string): Uint8Array => Buffer.from(text);

export function viewOf(epoch: number, set: readonly MemberId[]): PartitionView {
  return { epoch: toEpoch(epoch), sets: { type: 'still', set } };
}

/** What the promise fails with. */
export async function failure(promise: Promise<unknown>): Promise<KvError> {
  const error = await promise.then(
    () => assert.fail('it did not fail'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof KvError, String(error));
  return error;
}

async function* scanAll(): AsyncGenerator<never, void, void> {}
