import type { MemberId } from '../../core/raft/types.ts';
import { compareVersions, type Version } from '../../core/version/version.ts';
import type { ReplicaReply, ReplicaReplyBody, ReplicaRequest } from '../../peer/replica-messages.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Engine } from '../../storage/engine.ts';
import { dataKey } from '../../storage/key-layout.ts';
import type { StoredRecord } from '../../storage/record.ts';
import type { VersionSource } from '../../storage/version-source.ts';
import type { ReplicaCall } from '../types.ts';
import type { Damage } from './damage.ts';
import type { Gate } from './gate.ts';
import { decodeIntact } from './held.ts';
import type { KeyLoader } from './key-loader.ts';
import type { KeyState } from './key-state.ts';
import type { KeyTable } from './key-table.ts';
import type { PartitionState } from './partition-state.ts';
import type { RecordCache } from './record-cache.ts';
import { refused, refusedBy, replyOf } from './reply.ts';

export type ReadServerOptions = { readonly self: MemberId; readonly skewMsMax: number };

export type ReadServerDeps = {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly versions: Pick<VersionSource, 'last'>;
  readonly gate: Gate;
  readonly table: KeyTable;
  readonly loader: KeyLoader;
  readonly records: RecordCache;
  readonly damage: Damage;
  /** The world has changed while the engine worked: from the fence on once more. */
  again(call: ReplicaCall): void;
};

/** Answers `ask` and `read`: durable records only. The fence is passed once more in the turn of the answer. */
export class ReadServer {
  readonly #options: ReadServerOptions;
  readonly #deps: ReadServerDeps;

  constructor(options: ReadServerOptions, deps: ReadServerDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** The answer, where it is known without the engine. */
  now(request: ReplicaRequest, partition: PartitionState): ReplicaReply | undefined {
    const state = this.#deps.table.find(dataKey(request), partition);
    if (state === undefined || !state.isKnown) return undefined;
    if (!needsRecord(request, state)) return this.#reply(partition, this.#known(request, partition, state));
    const stored = this.#deps.records.find(state);
    return stored === undefined ? undefined : this.#reply(partition, fullSight(partition, state, stored));
  }

  serve(call: ReplicaCall, partition: PartitionState): void {
    const { request } = call;
    const storedKey = dataKey(request);
    const { table, loader } = this.#deps;
    const state = table.acquire(storedKey, partition, request);
    loader.know(state, storedKey, (failure, stored) => {
      if (this.#hasChanged(call, partition, failure)) table.release(state);
      else if (stored === undefined && needsRecord(request, state))
        this.#readRecord(call, partition, state, storedKey);
      else this.#answer(call, partition, state, stored);
    });
  }

  #answer(
    call: ReplicaCall,
    partition: PartitionState,
    state: KeyState,
    stored: Uint8Array | undefined,
  ): void {
    const body = needsRecord(call.request, state)
      ? fullSight(partition, state, stored)
      : this.#known(call.request, partition, state);
    this.#deps.table.release(state);
    call.done(this.#reply(partition, body));
  }

  #readRecord(call: ReplicaCall, partition: PartitionState, state: KeyState, storedKey: Uint8Array): void {
    const before = state.durable;
    this.#deps.engine.get(storedKey).then(
      (stored) => {
        if (!this.#hasChanged(call, partition, undefined)) this.#show(call, state, storedKey, stored, before);
        this.#deps.table.release(state);
      },
      (error: unknown) => {
        this.#hasChanged(call, partition, error as Error);
        this.#deps.table.release(state);
      },
    );
  }

  #show(
    call: ReplicaCall,
    state: KeyState,
    storedKey: Uint8Array,
    stored: Uint8Array | undefined,
    before: KeyState['durable'],
  ): void {
    const { partition } = state;
    const record = stored === undefined ? undefined : decodeIntact(storedKey, stored);
    if (record !== undefined) {
      if (stored !== undefined && isOf(record, state)) this.#deps.records.keep(state, stored);
      call.done(this.#reply(partition, sight(record.version, partition.watermark, true, stored)));
    } else if (state.isChanging || state.durable !== before) {
      // What was read may be on its way out, or already replaced: only what stood still all the while is damaged.
      this.#deps.again(call);
    } else {
      this.#deps.damage.found(state);
      call.done(this.#reply(partition, CORRUPT));
    }
  }

  /** Where the request cannot be answered as it was begun: it is refused, or begins again. */
  #hasChanged(call: ReplicaCall, partition: PartitionState, failure: Error | undefined): boolean {
    if (failure !== undefined) call.done(this.#reply(partition, refusedBy(failure)));
    else if (this.#deps.gate.enter(call.request) === partition) return false;
    else this.#deps.again(call);
    return true;
  }

  #known({ body }: ReplicaRequest, partition: PartitionState, state: KeyState): ReplicaReplyBody {
    if (state.isDamaged) return CORRUPT;
    const version = state.durable?.version;
    const { watermark, floor } = partition;
    if (body.type === 'read') return sight(version, watermark, body.isFull, undefined);
    const nowMs = this.#deps.clock.nowMs();
    return { type: 'versions', version, floor, watermark, clock: this.#clockAt(nowMs), nowMs };
  }

  /** Never further ahead than replicas accept: a clock that was once set far ahead must not drag the others along (D3). */
  #clockAt(nowMs: number): Version {
    const last = this.#deps.versions.last();
    const wallMsMax = nowMs + this.#options.skewMsMax;
    return last.wallMs <= wallMsMax ? last : { wallMs: wallMsMax, counter: 0, member: last.member };
  }

  #reply(partition: PartitionState, body: ReplicaReplyBody): ReplicaReply {
    return replyOf(this.#options.self, partition.epoch, body);
  }
}

const CORRUPT = refused('RECORD_CORRUPT', 'what is stored here fails its checksum');

/** Whether only the engine can answer. */
function needsRecord({ body }: ReplicaRequest, state: KeyState): boolean {
  return body.type === 'read' && body.isFull && state.durable !== undefined;
}

function fullSight(
  partition: PartitionState,
  state: KeyState,
  stored: Uint8Array | undefined,
): ReplicaReplyBody {
  return sight(state.durable?.version, partition.watermark, true, stored);
}

/** A write that settled since the engine was asked may be newer. */
function isOf({ version }: StoredRecord, { durable }: KeyState): boolean {
  return durable !== undefined && compareVersions(durable.version, version) === 0;
}

function sight(
  version: Version | undefined,
  watermark: Version,
  isFull: boolean,
  record: Uint8Array | undefined,
): ReplicaReplyBody {
  return { type: 'sight', version, watermark, isFull, record };
}
