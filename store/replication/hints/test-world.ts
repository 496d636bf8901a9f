import type { PartitionView } from '../../core/quorum/replica-sets.ts';
import type { MemberId } from '../../core/raft/types.ts';
import { toEpoch } from '../../core/topology/types.ts';
import { compareVersions, readVersion, type Version } from '../../core/version/version.ts';
import type { ReplicaRefusalCode, ReplicaReplyBody, ReplicaRequest } from '../../peer/replica-messages.ts';
import { MemoryDisk } from '../../sim/memory-disk.ts';
import { MemoryEngine } from '../../sim/memory-engine.ts';
import { SimClock } from '../../sim/sim-clock.ts';
import type { Settle } from '../../sim/timeline.ts';
import { KvError } from '../../storage/errors.ts';
import { dataKey } from '../../storage/key-layout.ts';
import { encodeRecord } from '../../storage/record.ts';
import type { Hint, ReplicaOutcome } from '../types.ts';
import { DurableHintKeeper, type HintOptions } from './hint-keeper.ts';

export const PARTITION = 3;
export const SELF = 1;
const NAMESPACE = 7;
/** Of a sealed record, behind envelope and flags. */
const RECORD_VERSION_AT = 6;

export const at = (wallMs: number, counter = 0): Version => ({ wallMs, counter, member: SELF });

export function hintFor(owner: MemberId, name: string, version: Version, value = 'value'): Hint {
  const key = Buffer.from(name);
  const place = { partition: PARTITION, namespaceId: NAMESPACE, key };
  const record = encodeRecord(dataKey(place), {
    ...{ version, isTombstone: value === '', expiresAtMs: undefined, contentType: undefined },
    value: Buffer.from(value),
  });
  return { owner, ...place, version, record };
}

/** A replica as the rules of the fences say, and nothing else. */
class FakeOwner {
  readonly held = new Map<string, Version>();
  floor = at(0);
  epoch = toEpoch(5);
  refuses: ReplicaRefusalCode | undefined;
  isReachable = true;

  serve(request: ReplicaRequest): ReplicaReplyBody {
    const refused = (code: ReplicaRefusalCode): ReplicaReplyBody => ({ type: 'refused', code, message: '' });
    if (this.refuses !== undefined) return refused(this.refuses);
    if (request.epoch !== this.epoch) return refused('STALE_EPOCH');
    if (request.body.type !== 'store' || request.body.origin !== 'hint') throw new Error('no hint');
    const version = readVersion(request.body.record, RECORD_VERSION_AT);
    const name = Buffer.from(request.key).toString();
    const before = this.held.get(name);
    if (before !== undefined && compareVersions(before, version) >= 0)
      return { type: 'held', version: before };
    if (compareVersions(version, this.floor) <= 0) return refused('BELOW_FLOOR');
    this.held.set(name, version);
    return { type: 'held', version };
  }
}

/** One keeper on a disk that can lose its power, and owners that can go and come. */
export class HintWorld {
  readonly clock = new SimClock(1_000_000);
  readonly disk = new MemoryDisk(
    { capacityBytes: 1 << 24 },
    { clock: this.clock, random: { unit: () => 0 } as never },
  );
  readonly owners = new Map<MemberId, FakeOwner>([2, 3].map((owner) => [owner, new FakeOwner()]));
  readonly counts = { kept: 0, replayed: 0, dropped: new Map<string, number>() };
  readonly errors: unknown[] = [];
  readonly members = new Set<MemberId>([1, 2, 3]);
  readonly up = new Set<MemberId>([1, 2, 3]);
  readonly sent: { readonly atMs: number; readonly bytes: number }[] = [];
  set: readonly MemberId[] = [1, 2, 3];
  epoch = toEpoch(5);
  isFull = false;
  isPlaced = true;
  inFlight = 0;
  inFlightMost = 0;
  answerAfterMs = 0;
  engine = this.#openEngine();
  keeper: DurableHintKeeper;
  #listeners = new Set<() => void>();
  readonly #settle: Settle;
  readonly #options: HintOptions;

  constructor(settle: Settle, options: Partial<HintOptions> = {}) {
    this.#settle = settle;
    const defaults = { bytesMax: 1 << 20, backlogBytesMax: 1 << 20, ageMsMax: 100_000, timeoutMs: 500 };
    this.#options = { ...defaults, replayBytesPerSecond: 1 << 20, ...options };
    this.keeper = this.#openKeeper();
  }

  owner(member: MemberId): FakeOwner {
    const owner = this.owners.get(member);
    if (owner === undefined) throw new Error(`there is no owner ${member}`);
    return owner;
  }

  /** Gossip and the topology tell of a change. */
  changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  setUp(member: MemberId, isUp: boolean): void {
    if (isUp) this.up.add(member);
    else this.up.delete(member);
    this.changed();
  }

  /** Lets time pass in small steps, all that is ready running between two of them. */
  async run(ms: number, stepMs = 50): Promise<void> {
    await this.#settle();
    for (let passed = 0; passed < ms; passed += stepMs) {
      this.clock.advance(stepMs);
      await this.#settle();
    }
  }

  /** The process is killed, the machine loses what was not synced, and both come back. */
  async crash(): Promise<void> {
    this.disk.crash();
    this.#listeners = new Set();
    this.engine = this.#openEngine();
    this.keeper = this.#openKeeper();
    await this.#settle();
  }

  #openEngine(): MemoryEngine {
    return new MemoryEngine({ groupBytesMax: 1 << 20 }, { disk: this.disk });
  }

  #openKeeper(): DurableHintKeeper {
    const { counts } = this;
    return new DurableHintKeeper(this.#options, {
      engine: this.engine,
      clock: this.clock,
      space: { admit: () => this.#admit(), refresh: async () => {} },
      client: { ask: (request) => this.#ask(request) },
      routing: {
        self: SELF,
        viewOf: () => this.#view(),
        isUp: (member) => this.up.has(member),
        onChange: (listener) => {
          this.#listeners.add(listener);
          return () => this.#listeners.delete(listener);
        },
      },
      isMember: (member) => this.members.has(member),
      events: {
        onKept(hints) {
          counts.kept += hints;
        },
        onReplayed(hints) {
          counts.replayed += hints;
        },
        onDropped: (reason, hints) =>
          void counts.dropped.set(reason, (counts.dropped.get(reason) ?? 0) + hints),
        onError: (error) => void this.errors.push(error),
      },
    });
  }

  #admit(): boolean {
    if (this.isFull) throw new KvError('STORAGE_FULL', 'full');
    return true;
  }

  #view(): PartitionView | undefined {
    return this.isPlaced ? { epoch: this.epoch, sets: { type: 'still', set: this.set } } : undefined;
  }

  async #ask(request: ReplicaRequest): Promise<ReplicaOutcome> {
    const owner = this.owner(request.to);
    const bytes = request.body.type === 'store' ? request.body.record.length : 0;
    this.sent.push({ atMs: this.clock.monotonicMs(), bytes });
    this.inFlight += 1;
    this.inFlightMost = Math.max(this.inFlightMost, this.inFlight);
    await new Promise<void>((resolve) => this.clock.setTimer(this.answerAfterMs, resolve));
    this.inFlight -= 1;
    if (!owner.isReachable) return { type: 'unreachable', code: 'UNREACHABLE' };
    return { type: 'reply', reply: { from: request.to, epoch: owner.epoch, body: owner.serve(request) } };
  }
}
