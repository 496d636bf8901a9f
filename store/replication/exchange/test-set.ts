import type { MemberId } from '../../core/raft/types.ts';
import { type Epoch, toEpoch } from '../../core/topology/types.ts';
import type { DataReply, DataRequest } from '../../peer/data-messages.ts';
import { sleep } from '../../ports/clock.ts';
import { SimClock } from '../../sim/sim-clock.ts';
import { createSimRandom } from '../../sim/sim-random.ts';
import type { Settle } from '../../sim/timeline.ts';
import type { DataOutcome, DataPeers, ReplicaClient, ReplicaOutcome, Routing } from '../types.ts';
import { AntiEntropy, type AntiEntropyRequest } from './anti-entropy.ts';
import {
  type AntiEntropyEvent,
  type AntiEntropyOptions,
  DEFAULT_EXCHANGE_LIMITS,
} from './exchange-options.ts';
import { type TestRecord, TestReplica } from './test-replica.ts';

export const START_MS = 1_000_000;
const LATENCY_MS = 1;

export type TestSetOptions = {
  readonly members?: number;
  readonly partitions?: number;
  readonly options?: Partial<AntiEntropyOptions>;
};

type Member = { readonly replica: TestReplica; antiEntropy: AntiEntropy };

/** A replica set on virtual time: anti-entropy of each member over a dumb replica, and a network that can lose. */
export class TestSet {
  readonly clock = new SimClock(START_MS);
  readonly members = new Map<MemberId, Member>();
  readonly down = new Set<MemberId>();
  readonly events: (AntiEntropyEvent & { readonly at: MemberId })[] = [];
  /** Data requests and replica requests that travelled between members, by type. */
  readonly requests = new Map<string, number>();
  epoch: Epoch = toEpoch(1);
  /** Whether a request is lost. */
  isLost: (from: MemberId, request: { readonly to: MemberId; readonly what: string }) => boolean = () =>
    false;
  isMoving = false;
  /** Whether a request is never answered. */
  isStuck: (what: string) => boolean = () => false;
  readonly #options: TestSetOptions;
  readonly #settle: Settle;
  readonly #abort = new AbortController();

  constructor(settle: Settle, options: TestSetOptions = {}) {
    this.#settle = settle;
    this.#options = options;
    const { members = 3, partitions = 1 } = options;
    for (let member = 1; member <= members; member++) {
      const replica = new TestReplica(member, partitions);
      this.members.set(member, { replica, antiEntropy: this.#antiEntropyOf(replica, 1) });
    }
  }

  replica(member: MemberId): TestReplica {
    return this.#member(member).replica;
  }

  antiEntropy(member: MemberId): AntiEntropy {
    return this.#member(member).antiEntropy;
  }

  /** Puts a record on some members. */
  put(record: TestRecord, members: readonly MemberId[] = [...this.members.keys()], partition = 0): void {
    for (const member of members) this.replica(member).partitions[partition]?.put(record);
  }

  /** What each member holds of a key: its version's time, negative for a tombstone, undefined for nothing. */
  held(key: string, partition = 0): readonly (number | undefined)[] {
    return [...this.members.values()].map(({ replica }) => {
      const record = replica.partitions[partition]?.records.get(key);
      return record && (record.isTombstone ? -record.version.wallMs : record.version.wallMs);
    });
  }

  start(...members: readonly MemberId[]): void {
    const all = members.length > 0 ? members : [...this.members.keys()];
    for (const member of all) this.antiEntropy(member).start();
  }

  /** The member's process is new; its disk is what it was. */
  async restart(member: MemberId, incarnation: number): Promise<void> {
    const one = this.#member(member);
    const stopped = one.antiEntropy.stop();
    await this.pass(1);
    await stopped;
    one.antiEntropy = this.#antiEntropyOf(one.replica, incarnation);
    one.antiEntropy.start();
  }

  setEpoch(epoch: number, members: readonly MemberId[] = [...this.members.keys()]): void {
    this.epoch = toEpoch(epoch);
    for (const member of members)
      for (const partition of this.replica(member).partitions) partition.epoch = this.epoch;
  }

  /** Lets virtual time pass, and all that is ready run between any two timers. */
  async pass(durationMs: number): Promise<void> {
    const untilMs = this.clock.monotonicMs() + durationMs;
    await this.#settle();
    for (
      let due = this.clock.nextDueMs();
      due !== undefined && due <= untilMs;
      due = this.clock.nextDueMs()
    ) {
      this.clock.advance(due - this.clock.monotonicMs());
      await this.#settle();
    }
    this.clock.advance(untilMs - this.clock.monotonicMs());
  }

  /** Waits, at most a minute, for what takes virtual time. */
  async until<Result>(promise: Promise<Result>): Promise<Result> {
    let isOver = false;
    const over = promise.finally(() => {
      isOver = true;
    });
    for (let i = 0; i < 6000 && !isOver; i++) await this.pass(10);
    if (!isOver) throw new Error('it did not end within a minute');
    return await over;
  }

  async stop(): Promise<void> {
    const stopped = Promise.all([...this.members.values()].map(({ antiEntropy }) => antiEntropy.stop()));
    await this.until(stopped);
    this.#abort.abort();
  }

  #member(member: MemberId): Member {
    const found = this.members.get(member);
    if (found === undefined) throw new Error(`there is no member ${member}`);
    return found;
  }

  #antiEntropyOf(replica: TestReplica, incarnation: number): AntiEntropy {
    const self = replica.member;
    const options: AntiEntropyOptions = {
      self,
      incarnation,
      intervalMs: 1000,
      roundIntervalMs: 2000,
      bytesPerSecond: 16 * 1024 * 1024,
      propagationMs: 1000,
      limits: DEFAULT_EXCHANGE_LIMITS,
      ...this.#options.options,
    };
    const random = createSimRandom(self);
    const tell = (event: AntiEntropyEvent) => void this.events.push({ ...event, at: self });
    const { clock } = this;
    const [routing, client, peers] = [this.routing(self), this.#client(self), this.#peers(self)];
    return new AntiEntropy(options, { clock, random, routing, replica, client, peers, tell });
  }

  routing(self: MemberId): Routing {
    const { partitions = 1 } = this.#options;
    return {
      self,
      partitions,
      viewOf: () => {
        const others = [...this.members.keys()].filter((member) => member !== self);
        const set = [self, ...others];
        const { epoch } = this;
        if (this.isMoving) return { epoch, sets: { type: 'joint', from: set, to: set } };
        return { epoch, sets: { type: 'still', set } };
      },
      isUp: (member) => !this.down.has(member),
      nameOf: (member) => `node-${member}`,
      waitForEpoch: async () => false,
      onChange: () => () => {},
    };
  }

  peersOf(self: MemberId): DataPeers {
    return this.#peers(self);
  }

  clientOf(self: MemberId): ReplicaClient {
    return this.#client(self);
  }

  #client(self: MemberId): ReplicaClient {
    return {
      ask: async (request): Promise<ReplicaOutcome> => {
        const { to, body } = request;
        if (to === self) return { type: 'reply', reply: this.replica(to).serve(request) };
        if (!(await this.#travels(self, to, body.type))) return { type: 'unreachable', code: 'TIMEOUT' };
        const reply = this.replica(to).serve(request);
        const isBack = await this.#travels(to, self, `${body.type} reply`);
        return isBack ? { type: 'reply', reply } : { type: 'unreachable', code: 'TIMEOUT' };
      },
    };
  }

  #peers(self: MemberId): DataPeers {
    return {
      request: async (request): Promise<DataOutcome> => {
        const what = request.type === 'round' ? request.stage : request.type;
        if (!(await this.#travels(self, request.to, what))) return { type: 'unreachable', code: 'TIMEOUT' };
        const reply = await this.#answer(request, self);
        const isBack = await this.#travels(request.to, self, `${what} reply`);
        return isBack ? { type: 'reply', reply } : { type: 'unreachable', code: 'TIMEOUT' };
      },
    };
  }

  async #answer(request: DataRequest, from: MemberId): Promise<DataReply> {
    const { replica, antiEntropy } = this.#member(request.to);
    if (request.type !== 'explain') return await antiEntropy.answer(request as AntiEntropyRequest, from);
    const report = await replica.partitions[request.partition]?.report(request);
    if (report === undefined) throw new Error('there is no such partition');
    return { type: 'explain', ...report, hints: [], lastExchange: [] };
  }

  async #travels(from: MemberId, to: MemberId, what: string): Promise<boolean> {
    this.requests.set(what, (this.requests.get(what) ?? 0) + 1);
    if (this.isStuck(what)) await new Promise(() => {});
    await sleep(this.clock, LATENCY_MS, this.#abort.signal);
    return !(this.down.has(from) || this.down.has(to) || this.isLost(from, { to, what }));
  }
}
