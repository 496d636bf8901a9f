import type { PartitionView } from '../../core/quorum/replica-sets.ts';
import { writtenMembers } from '../../core/quorum/replica-sets.ts';
import type { MemberId } from '../../core/raft/types.ts';
import { toEpoch } from '../../core/topology/types.ts';
import {
  type HybridClock,
  observe,
  raiseCeiling,
  stamp,
  startClock,
} from '../../core/version/hybrid-clock.ts';
import { compareVersions, type Version, WALL_MS_MAX } from '../../core/version/version.ts';
import type {
  ReplicaRefusalCode,
  ReplicaReply,
  ReplicaReplyBody,
  ReplicaRequest,
} from '../../peer/replica-messages.ts';
import type { Clock } from '../../ports/clock.ts';
import { dataKey } from '../../storage/key-layout.ts';
import { decodeRecord, type StoredRecord } from '../../storage/record.ts';
import type { VersionSource } from '../../storage/version-source.ts';

/** A version source without a disk. */
export class TestVersions implements VersionSource {
  readonly given: Version[] = [];
  /** `next` gives nothing until `ready` resolves. */
  isBoundReached = false;
  raise: () => Promise<void> = async () => {};
  readonly #clock: Clock;
  #state: HybridClock;

  constructor(member: MemberId, clock: Clock) {
    this.#clock = clock;
    this.#state = raiseCeiling(startClock(member, 0), WALL_MS_MAX);
  }

  next(): Version | undefined {
    if (this.isBoundReached) return undefined;
    const stamped = stamp(this.#state, this.#clock.nowMs());
    if (stamped.type === 'ceiling-reached') throw new Error('the end of time');
    this.#state = stamped.clock;
    this.given.push(stamped.version);
    return stamped.version;
  }

  observe(version: Version): void {
    this.#state = observe(this.#state, version);
  }

  last(): Version {
    return { wallMs: this.#state.lastMs, counter: this.#state.lastCounter, member: this.#state.member };
  }

  async ready(): Promise<void> {
    await this.raise();
    this.isBoundReached = false;
  }
}

type Held = { readonly stored: Uint8Array; readonly record: StoredRecord };

const LOWEST: Version = { wallMs: 0, counter: 0, member: 0 };

/** A replica of one partition: a map behind a fence, a floor and a watermark. What it holds is durable at once. */
export class TestReplica {
  readonly held = new Map<string, Held>();
  readonly corrupt = new Set<string>();
  floor = LOWEST;
  watermark = LOWEST;
  refusal: ReplicaRefusalCode | undefined;
  /** Only what is stored is refused. */
  storeRefusal: ReplicaRefusalCode | undefined;
  readonly #member: MemberId;
  readonly #clock: Clock;
  readonly #versions: TestVersions;
  readonly #view: () => PartitionView | undefined;
  skewMsMax: number;

  constructor(
    member: MemberId,
    clock: Clock,
    versions: TestVersions,
    view: () => PartitionView | undefined,
    skewMsMax: number,
  ) {
    this.#member = member;
    this.#clock = clock;
    this.#versions = versions;
    this.#view = view;
    this.skewMsMax = skewMsMax;
  }

  serve(request: ReplicaRequest): ReplicaReply {
    const epoch = this.#view()?.epoch ?? toEpoch(0);
    return { from: this.#member, epoch, body: this.#fence(request) };
  }

  valueOf(key: string): string | undefined {
    const held = this.held.get(nameOf(Buffer.from(key)));
    return held && Buffer.from(held.record.value).toString();
  }

  storedOf(key: string): Uint8Array | undefined {
    return this.held.get(nameOf(Buffer.from(key)))?.stored;
  }

  damage(key: string): void {
    this.corrupt.add(nameOf(Buffer.from(key)));
  }

  isDamaged(key: string): boolean {
    return this.corrupt.has(nameOf(Buffer.from(key)));
  }

  #fence(request: ReplicaRequest): ReplicaReplyBody {
    const view = this.#view();
    const name = nameOf(request.key);
    if (request.to !== this.#member) return refused('WRONG_MEMBER');
    if (view === undefined || request.epoch > view.epoch) return refused('EPOCH_UNKNOWN');
    if (request.epoch < view.epoch) return refused('STALE_EPOCH');
    if (!writtenMembers(view.sets).includes(this.#member)) return refused('NOT_OWNER');
    if (this.refusal !== undefined) return refused(this.refusal);
    if (request.body.type === 'store') return this.#store(request, name, request.body);
    if (this.corrupt.has(name)) return refused('RECORD_CORRUPT');
    return request.body.type === 'ask' ? this.#versionsOf(name) : this.#sightOf(name, request.body.isFull);
  }

  #versionsOf(name: string): ReplicaReplyBody {
    const version = this.held.get(name)?.record.version;
    const { floor, watermark } = this;
    const clock = this.#versions.last();
    return { type: 'versions', version, floor, watermark, clock, nowMs: this.#clock.nowMs() };
  }

  #sightOf(name: string, isFull: boolean): ReplicaReplyBody {
    const held = this.held.get(name);
    const version = held?.record.version;
    return {
      type: 'sight',
      version,
      watermark: this.watermark,
      isFull,
      record: isFull ? held?.stored : undefined,
    };
  }

  #store(
    { partition, namespaceId, key }: ReplicaRequest,
    name: string,
    { record: stored, origin }: ReplicaRequest['body'] & { readonly type: 'store' },
  ): ReplicaReplyBody {
    if (this.storeRefusal !== undefined) return refused(this.storeRefusal);
    const record = decodeRecord(dataKey({ partition, namespaceId, key }), stored, key);
    const { version } = record;
    if (version.wallMs > this.#clock.nowMs() + this.skewMsMax) return refused('CLOCK_SKEW');
    const before = this.corrupt.has(name) ? undefined : this.held.get(name)?.record.version;
    if (before !== undefined && compareVersions(before, version) >= 0)
      return { type: 'held', version: before };
    const isNew = origin === 'write' || origin === 'hint';
    if (isNew && compareVersions(version, this.floor) <= 0) return refused('BELOW_FLOOR');
    if (!isNew && compareVersions(version, this.watermark) <= 0) return refused('BELOW_WATERMARK');
    this.held.set(name, { stored, record });
    this.corrupt.delete(name);
    this.#versions.observe(version);
    return { type: 'held', version };
  }
}

const nameOf = (key: Uint8Array): string => Buffer.from(key).toString('hex');

function refused(code: ReplicaRefusalCode): ReplicaReplyBody {
  return { type: 'refused', code, message: '' };
}
