import type { MemberId } from '../../core/raft/types.ts';
import type { BatchWriter } from '../../peer/replica-codec.ts';
import type { ReplicaReply } from '../../peer/replica-messages.ts';
import type { ReplicaLinkCounters } from './counters.ts';
import type { Gatherer, Turn } from './turn.ts';
import { UNREACHABLE, type WaitingRequest } from './waiting-request.ts';
import type { WaitingTable } from './waiting-table.ts';

export type MemberLinkDeps = {
  readonly table: WaitingTable;
  readonly turn: Turn;
  /** Shared by all links: a batch is written and taken in one go. */
  readonly writer: BatchWriter;
  readonly counters: ReplicaLinkCounters;
  addressOf(member: MemberId): string | undefined;
  /** False where the batch was dropped. */
  send(address: string, batch: Uint8Array): boolean;
  monotonicMs(): number;
};

/** The way to one other member: what is asked in one turn shares frames. */
export class MemberLink implements Gatherer {
  readonly member: MemberId;
  readonly table: WaitingTable;
  isGathering = false;
  /** Where it was sent to the last time. */
  #address: string | undefined;
  readonly #session: number;
  readonly #deps: MemberLinkDeps;
  #queue: WaitingRequest[] = [];

  constructor(options: { readonly member: MemberId; readonly session: number }, deps: MemberLinkDeps) {
    this.member = options.member;
    this.#session = options.session;
    this.table = deps.table;
    this.#deps = deps;
  }

  ask(waiting: WaitingRequest): void {
    this.table.add(waiting);
    this.#queue.push(waiting);
    this.#deps.turn.add(this);
  }

  onReply(id: number, reply: ReplicaReply): void {
    const waiting = this.table.get(id);
    if (waiting === undefined || waiting.request !== undefined) {
      this.#deps.counters.repliesIgnored += 1;
      return;
    }
    this.table.end(waiting, { type: 'reply', reply });
  }

  /** What was sent to `address` may be lost, and nothing will say so: it ends now instead of at its timeout. */
  onUnlink(address: string): void {
    if (this.#address !== address) return;
    this.#fail(this.table.sent());
  }

  flush(): void {
    const queue = this.#queue;
    this.#queue = [];
    const address = this.#deps.addressOf(this.member);
    this.#address = address;
    for (let from = 0; from < queue.length; ) {
      const to = this.#write(queue, from);
      const isSent = address !== undefined && this.#send(address);
      if (!isSent) this.#fail(queue.slice(from, to));
      from = to;
    }
  }

  /** Writes a batch of what waits from `from` on; returns where the next one begins. */
  #write(queue: readonly WaitingRequest[], from: number): number {
    const { writer, counters } = this.#deps;
    const nowMs = this.#deps.monotonicMs();
    writer.begin({ type: 'requests', session: this.#session, member: this.member });
    for (let at = from; at < queue.length; at++) {
      const waiting = queue[at] as WaitingRequest;
      const request = waiting.request;
      if (request === undefined) continue; // it ended in this turn
      if (!writer.addRequest(waiting.id, waiting.dueMs - nowMs, request)) return at;
      waiting.request = undefined;
      counters.requestsSent += 1;
    }
    return queue.length;
  }

  #send(address: string): boolean {
    const { writer, counters } = this.#deps;
    if (writer.count === 0) return true;
    counters.framesSent += 1;
    return this.#deps.send(address, writer.take());
  }

  #fail(lost: readonly WaitingRequest[]): void {
    for (const waiting of lost) {
      if (waiting.isEnded) continue;
      this.#deps.counters.unreachable += 1;
      this.table.end(waiting, UNREACHABLE.UNREACHABLE);
    }
  }
}
