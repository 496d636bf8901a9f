import type { MemberId } from '../../core/raft/types.ts';
import { compareVersions, formatVersion } from '../../core/version/version.ts';
import type { ReplicaReplyBody, ReplicaRequestBody } from '../../peer/replica-messages.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EngineOperation } from '../../storage/engine.ts';
import { KvError } from '../../storage/errors.ts';
import { dataKey } from '../../storage/key-layout.ts';
import type { SpaceGuard } from '../../storage/space-guard.ts';
import type { VersionSource } from '../../storage/version-source.ts';
import type { ReplicaCall } from '../types.ts';
import type { Damage } from './damage.ts';
import type { Gate } from './gate.ts';
import { decodeHeld, type Held } from './held.ts';
import { judgeStore } from './judge-store.ts';
import type { KeyLoader } from './key-loader.ts';
import type { KeyState } from './key-state.ts';
import type { KeyTable } from './key-table.ts';
import type { PartitionState } from './partition-state.ts';
import { held, refused, refusedBy, replyOf } from './reply.ts';
import { storeOperations } from './store-operations.ts';
import type { Writer } from './writer.ts';

export type StoreServerOptions = { readonly self: MemberId; readonly skewMsMax: number };

export type StoreServerDeps = {
  readonly clock: Clock;
  readonly versions: Pick<VersionSource, 'observe'>;
  readonly space: Pick<SpaceGuard, 'admit' | 'refresh'>;
  readonly gate: Gate;
  readonly table: KeyTable;
  readonly loader: KeyLoader;
  readonly damage: Damage;
  readonly writer: Writer;
  again(call: ReplicaCall): void;
  onError(error: unknown): void;
};

/** A store whose record is decoded and whose key is in the table. */
type Offer = {
  readonly call: ReplicaCall;
  readonly body: StoreBody;
  readonly partition: PartitionState;
  readonly state: KeyState;
  readonly storedKey: Uint8Array;
  readonly offered: Held;
};

type StoreBody = Extract<ReplicaRequestBody, { type: 'store' }>;

/** Answers `store`: the newest version wins, and `held` is said of durable records only. */
export class StoreServer {
  readonly #options: StoreServerOptions;
  readonly #deps: StoreServerDeps;

  constructor(options: StoreServerOptions, deps: StoreServerDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  serve(call: ReplicaCall, body: StoreBody, partition: PartitionState): void {
    const { request } = call;
    const storedKey = dataKey(request);
    const offered = decodeHeld(storedKey, body.record);
    if (offered === undefined) {
      this.#tell(call, partition, DAMAGED_OFFER);
      return;
    }
    const { table, loader } = this.#deps;
    const state = table.acquire(storedKey, partition, request);
    const offer = { call, body, partition, state, storedKey, offered };
    loader.know(state, storedKey, (failure) => {
      if (failure !== undefined) this.#tell(call, partition, refusedBy(failure));
      else if (this.#deps.gate.enter(request) === partition) this.#decide(offer);
      else this.#deps.again(call);
      table.release(state);
    });
  }

  /** The fence was passed in this turn, and in it the write is issued: nothing may wait in between. */
  #decide(offer: Offer): void {
    const { newest } = offer.state;
    if (newest !== undefined && compareVersions(offer.offered.version, newest.version) <= 0) {
      this.#tellOnceHeld(offer);
      return;
    }
    const refusal = this.#refusalOf(offer) ?? this.#admit(offer);
    if (refusal === 'admitted') this.#issue(offer);
    else if (refusal === 'look-again') this.#lookAgain(offer);
    else this.#tell(offer.call, offer.partition, refusal);
  }

  /** Once it is known how much the disk has left. */
  #lookAgain({ call, partition }: Offer): void {
    this.#deps.space.refresh().then(
      () => this.#deps.again(call),
      (error: unknown) => this.#tell(call, partition, refusedBy(error as Error)),
    );
  }

  /** The one that it knows of is as new: it says so when that one is durable. */
  #tellOnceHeld({ call, partition, state, offered }: Offer): void {
    const { durable } = state;
    const isDurable = durable !== undefined && compareVersions(offered.version, durable.version) <= 0;
    const change = isDurable ? undefined : state.changeTo(offered.version);
    if (isDurable) this.#tell(call, partition, held(durable.version));
    else if (change?.after !== undefined) change.waiters.push(this.#teller(call, partition, change.after));
    else throw new Error('a version is known that is neither durable nor under way');
  }

  #refusalOf({ call, body, partition, state, offered }: Offer): ReplicaReplyBody | undefined {
    const { floor, watermark, isFilling } = partition;
    const { newest } = state;
    const { origin, sourceWatermark } = body;
    const isDamaged = state.isDamaged && !state.isChanging;
    const promised = isDamaged ? this.#deps.damage.promisedOf(state.name) : undefined;
    const verdict = judgeStore({
      origin,
      offered,
      newest,
      isDamaged,
      promised,
      floor,
      watermark,
      isFilling,
      sourceWatermark,
    });
    if (verdict !== 'accept' && verdict !== 'accept-lost') return refused(verdict);
    const aheadMs = offered.version.wallMs - this.#deps.clock.nowMs();
    if (aheadMs > this.#options.skewMsMax && !(call.isLocal && origin === 'write'))
      return refused('CLOCK_SKEW', `the version is ${aheadMs} ms ahead of the clock here`);
    if (verdict === 'accept-lost') this.#deps.onError(lost(partition, offered));
    return undefined;
  }

  /** `look-again`: only a new look at the disk can tell. */
  #admit({ body, storedKey, offered }: Offer): 'admitted' | 'look-again' | ReplicaReplyBody {
    const bytes = body.record.length + storedKey.length;
    const { writer, space } = this.#deps;
    if (!writer.hasRoomFor(bytes))
      return refused('OVERLOADED', `${writer.backlogBytes} bytes of writes wait for the disk`);
    try {
      return space.admit(bytes, offered.isTombstone ? 'delete' : 'put') ? 'admitted' : 'look-again';
    } catch (error) {
      if (error instanceof KvError && error.code === 'STORAGE_FULL')
        return refused('STORAGE_FULL', error.message);
      throw error;
    }
  }

  #issue({ call, body, partition, state, storedKey, offered }: Offer): void {
    const { request } = call;
    const { newest } = state;
    const operations: EngineOperation[] = [];
    storeOperations(operations, { address: request, storedKey, record: body.record, offered, newest });
    this.#deps.versions.observe(offered.version);
    const waiter = this.#teller(call, partition, offered);
    this.#deps.writer.issue(
      [{ state, after: offered, record: body.record, waiter }],
      operations,
      storedKey.length + body.record.length,
    );
  }

  /** Answers under the epoch of this turn: under that one the write was let in. */
  #teller(call: ReplicaCall, partition: PartitionState, after: Held): (failure: Error | undefined) => void {
    const { epoch } = partition;
    return (failure) =>
      call.done(
        replyOf(this.#options.self, epoch, failure === undefined ? held(after.version) : refusedBy(failure)),
      );
  }

  #tell(call: ReplicaCall, partition: PartitionState, body: ReplicaReplyBody): void {
    call.done(replyOf(this.#options.self, partition.epoch, body));
  }
}

const DAMAGED_OFFER = refused('RECORD_CORRUPT', 'the record that was sent fails its checksum');

function lost(partition: PartitionState, offered: Held): Error {
  return new Error(
    `partition ${partition.number} lacked a record of version ${formatVersion(offered.version)}, at or below its ` +
      `watermark ${formatVersion(partition.watermark)}; it was stored again: look at the disk of this node`,
  );
}
