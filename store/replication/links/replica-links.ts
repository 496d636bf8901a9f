import type { MemberId } from '../../core/raft/types.ts';
import { ProtocolError } from '../../peer/frame.ts';
import type { Hello } from '../../peer/messages.ts';
import { BatchWriter, decodeBatch, type ReplicaBatch } from '../../peer/replica-codec.ts';
import { requestBytes } from '../../peer/replica-codec-request.ts';
import type { ReplicaRequest } from '../../peer/replica-messages.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Random } from '../../ports/random.ts';
import type { Transport } from '../../ports/transport.ts';
import type { Replica, ReplicaAsker, ReplicaAskOptions, ReplicaOutcome } from '../types.ts';
import { createCounters, type ReplicaLinkCounters } from './counters.ts';
import { LocalLink } from './local-link.ts';
import { MemberLink } from './member-link.ts';
import { ReplicaServer } from './replica-server.ts';
import { SharedSignals } from './shared-signals.ts';
import { Timeouts } from './timeouts.ts';
import { type Defer, Turn } from './turn.ts';
import { type Holder, type OnEnd, UNREACHABLE, WaitingRequest } from './waiting-request.ts';
import { WaitingTable } from './waiting-table.ts';

/** The settings `replication.*` of the same names. */
export type ReplicaLinksOptions = {
  readonly self: MemberId;
  /** Bytes of requests, or of answers, that share a frame. */
  readonly frameBytesMax: number;
  /** Requests that wait for one member, and their bytes; more end as OVERLOADED. */
  readonly replicaInFlightMax: number;
  readonly replicaInFlightBytesMax: number;
};

export type ReplicaLinksDeps = {
  readonly clock: Clock;
  readonly random: Random;
  /** When a turn ends: then what gathered in it is sent. */
  readonly defer: Defer;
  readonly transport: Pick<Transport, 'send'>;
  /** Where the member is, as far as this one knows. */
  addressOf(member: MemberId): string | undefined;
  readonly replica: Pick<Replica, 'answer' | 'serveNow'>;
};

/** Timeouts come up to this much late. */
const TIMEOUT_GRAIN_MS = 8;
const SESSION_BYTES = 6;

/**
 * The way to the replicas of all members, this one's own included, and the way of their requests to this one. What is
 * asked of, or answered to, one member in one turn shares frames. Nothing that one member does delays another one's
 * requests: each has its own queue and its own limits.
 */
export class ReplicaLinks implements ReplicaAsker {
  readonly #options: ReplicaLinksOptions;
  readonly #deps: ReplicaLinksDeps;
  /** Replies to an earlier life of this member, or to another one at its address, say another session. */
  readonly #session: number;
  readonly #counters = createCounters();
  readonly #links = new Map<MemberId, MemberLink>();
  readonly #local: LocalLink;
  readonly #server: ReplicaServer;
  readonly #timeouts: Timeouts<WaitingRequest>;
  readonly #signals: SharedSignals;
  readonly #turn: Turn;
  readonly #writer: BatchWriter;
  #isStopped = false;

  constructor(options: ReplicaLinksOptions, deps: ReplicaLinksDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#session = drawSession(deps.random);
    this.#turn = new Turn(deps);
    this.#writer = new BatchWriter({ bytesMax: options.frameBytesMax });
    this.#signals = new SharedSignals(deps);
    this.#timeouts = new Timeouts(
      { grainMs: TIMEOUT_GRAIN_MS },
      { clock: deps.clock, onTimeout: (waiting) => this.#onTimeout(waiting) },
    );
    const signals = this.#signals;
    this.#local = new LocalLink({ table: this.#createTable(), replica: deps.replica, signals });
    this.#server = new ReplicaServer(options, { ...this.#linkDeps(), replica: deps.replica, signals });
  }

  get counters(): Readonly<ReplicaLinkCounters> {
    return this.#counters;
  }

  /** What waits for a member now. */
  waitingFor(member: MemberId): { readonly requests: number; readonly bytes: number } {
    const table = member === this.#options.self ? this.#local.table : this.#links.get(member)?.table;
    return { requests: table?.size ?? 0, bytes: table?.bytes ?? 0 };
  }

  ask(request: ReplicaRequest, options: ReplicaAskOptions): Promise<ReplicaOutcome> {
    return new Promise((resolve) => this.askWith(request, options, resolve));
  }

  askWith(request: ReplicaRequest, { timeoutMs }: ReplicaAskOptions, onEnd: OnEnd): void {
    if (this.#isStopped) {
      queueMicrotask(() => onEnd(UNREACHABLE.STOPPING));
      return;
    }
    if (request.to === this.#options.self) this.#askLocal(request, timeoutMs, onEnd);
    else this.#askMember(request, timeoutMs, onEnd);
  }

  /**
   * A batch that came over a link with `from`. Throws ProtocolError for bytes that are none, which is to cost that link. A
   * reply counts only from the member that was asked.
   */
  receive(from: Hello, bytes: Uint8Array): void {
    const { member } = from;
    if (member === undefined) throw new ProtocolError('a replica batch from a node that is no member');
    const batch = decodeBatch(bytes);
    this.#counters.framesReceived += 1;
    if (batch.type === 'requests') this.#server.serve(member.number, from.peerAddress, batch);
    else this.#onReplies(member.number, batch);
  }

  /** A link to or from `address` ended, or could not be made. */
  onUnlink(address: string): void {
    for (const link of this.#links.values()) link.onUnlink(address);
  }

  /** Ends what waits, and refuses what comes. */
  stop(): void {
    this.#isStopped = true;
    this.#server.stop();
    this.#signals.stop();
    this.#local.table.endAll(UNREACHABLE.STOPPING);
    for (const link of this.#links.values()) link.table.endAll(UNREACHABLE.STOPPING);
  }

  #askLocal(request: ReplicaRequest, timeoutMs: number, onEnd: OnEnd): void {
    if (this.#local.askNow(request, onEnd)) return;
    const waiting = this.#createWaiting(this.#local.table, request, timeoutMs, onEnd);
    if (waiting !== undefined) this.#local.ask(request, timeoutMs, waiting);
  }

  #askMember(request: ReplicaRequest, timeoutMs: number, onEnd: OnEnd): void {
    const link = this.#link(request.to);
    const waiting = this.#createWaiting(link.table, request, timeoutMs, onEnd);
    if (waiting !== undefined) link.ask(waiting);
  }

  #createWaiting(
    table: WaitingTable,
    request: ReplicaRequest,
    timeoutMs: number,
    onEnd: OnEnd,
  ): WaitingRequest | undefined {
    const bytes = requestBytes(request);
    if (!table.hasRoom(bytes)) {
      this.#counters.overloaded += 1;
      queueMicrotask(() => onEnd(UNREACHABLE.OVERLOADED));
      return undefined;
    }
    const dueMs = this.#deps.clock.monotonicMs() + timeoutMs;
    const holder: Holder = table;
    return new WaitingRequest({ id: table.nextId(), bytes, dueMs }, { holder, request, onEnd });
  }

  #onTimeout(waiting: WaitingRequest): void {
    this.#counters.timeouts += 1;
    waiting.holder.end(waiting, UNREACHABLE.TIMEOUT);
  }

  #onReplies(from: MemberId, batch: Extract<ReplicaBatch, { readonly type: 'replies' }>): void {
    const { items } = batch;
    const link = this.#links.get(from);
    if (link === undefined || batch.from !== from || batch.session !== this.#session) {
      this.#counters.repliesIgnored += items.length;
      return;
    }
    this.#counters.repliesReceived += items.length;
    for (const { id, reply } of items) link.onReply(id, reply);
  }

  #link(member: MemberId): MemberLink {
    const known = this.#links.get(member);
    if (known !== undefined) return known;
    const { clock, addressOf } = this.#deps;
    const link = new MemberLink(
      { member, session: this.#session },
      { ...this.#linkDeps(), table: this.#createTable(), addressOf, monotonicMs: () => clock.monotonicMs() },
    );
    this.#links.set(member, link);
    return link;
  }

  #linkDeps() {
    const { transport } = this.#deps;
    return {
      turn: this.#turn,
      writer: this.#writer,
      counters: this.#counters,
      send: (address: string, batch: Uint8Array) => transport.send(address, { type: 'replica', batch }),
    };
  }

  #createTable(): WaitingTable {
    return new WaitingTable(this.#options, { timeouts: this.#timeouts });
  }
}

function drawSession(random: Random): number {
  return random.bytes(SESSION_BYTES).reduce((sum, byte) => sum * 256 + byte, 0);
}
