import type { MemberId } from '../../core/raft/types.ts';
import { toEpoch } from '../../core/topology/types.ts';
import { REPLICA_SERVED_BYTES_MAX, REPLICA_SERVED_MAX } from '../../peer/limits.ts';
import type { BatchWriter, ReplicaBatch } from '../../peer/replica-codec.ts';
import { type NumberedRequest, requestBytes } from '../../peer/replica-codec-request.ts';
import type { ReplicaRefusalCode, ReplicaReply } from '../../peer/replica-messages.ts';
import type { Replica } from '../types.ts';
import type { ReplicaLinkCounters } from './counters.ts';
import { answered } from './local-link.ts';
import type { SharedSignals } from './shared-signals.ts';
import type { Gatherer, Turn } from './turn.ts';

export type ReplicaServerDeps = {
  readonly replica: Pick<Replica, 'answer' | 'serveNow'>;
  readonly signals: SharedSignals;
  readonly turn: Turn;
  readonly writer: BatchWriter;
  readonly counters: ReplicaLinkCounters;
  send(address: string, batch: Uint8Array): boolean;
};

type RequestBatch = Extract<ReplicaBatch, { readonly type: 'requests' }>;

/** Nobody may keep this member at work for longer. */
const SERVED_MS_MAX = 600_000;

/** Answers what other members ask of this one's replica; what is answered to one of them in one turn shares frames. */
export class ReplicaServer {
  readonly #self: MemberId;
  readonly #deps: ReplicaServerDeps;
  readonly #askers = new Map<MemberId, Asker>();
  #isStopped = false;

  constructor(options: { readonly self: MemberId }, deps: ReplicaServerDeps) {
    this.#self = options.self;
    this.#deps = deps;
  }

  serve(from: MemberId, address: string, { session, items }: RequestBatch): void {
    let asker = this.#askers.get(from);
    if (asker === undefined) {
      asker = new Asker({ self: this.#self }, this.#deps);
      this.#askers.set(from, asker);
    }
    asker.address = address;
    for (const item of items) {
      if (this.#isStopped) asker.refuse(session, item.id, 'STOPPING', 'this node is stopping');
      else asker.serve(session, item);
    }
  }

  stop(): void {
    this.#isStopped = true;
  }
}

type Answer = { readonly session: number; readonly id: number; readonly reply: ReplicaReply };

/** A member that asks, whichever life of it: the limits hold for all of them together. */
class Asker implements Gatherer {
  /** Where its last batch said that it is. */
  address = '';
  isGathering = false;
  readonly #self: MemberId;
  readonly #deps: ReplicaServerDeps;
  #answers: Answer[] = [];
  #count = 0;
  #bytes = 0;

  constructor(options: { readonly self: MemberId }, deps: ReplicaServerDeps) {
    this.#self = options.self;
    this.#deps = deps;
  }

  serve(session: number, { id, remainingMs, request }: NumberedRequest): void {
    const { replica, signals } = this.#deps;
    const now = replica.serveNow?.(request);
    if (now !== undefined) {
      this.#answer(session, id, now);
      return;
    }
    if (this.#count >= REPLICA_SERVED_MAX || this.#bytes >= REPLICA_SERVED_BYTES_MAX) {
      this.#deps.counters.overloaded += 1;
      this.refuse(session, id, 'OVERLOADED', 'this member serves too many requests of yours');
      return;
    }
    const bytes = requestBytes(request);
    this.#count += 1;
    this.#bytes += bytes;
    const onReply = (reply: ReplicaReply): void => {
      this.#count -= 1;
      this.#bytes -= bytes;
      this.#answer(session, id, reply);
    };
    const signal = signals.within(Math.min(SERVED_MS_MAX, remainingMs));
    answered(() => replica.answer({ request, signal, isLocal: false, done: onReply }));
  }

  refuse(session: number, id: number, code: ReplicaRefusalCode, message: string): void {
    const body = { type: 'refused', code, message } as const;
    this.#answer(session, id, { from: this.#self, epoch: toEpoch(0), body });
  }

  flush(): void {
    const answers = this.#answers;
    this.#answers = [];
    for (let at = 0; at < answers.length; ) {
      at = this.#write(answers, at);
      this.#deps.counters.framesSent += 1;
      // Where it is dropped the asker hears it from its own side of the links, or runs out of time.
      this.#deps.send(this.address, this.#deps.writer.take());
    }
  }

  #answer(session: number, id: number, reply: ReplicaReply): void {
    this.#deps.counters.requestsServed += 1;
    this.#answers.push({ session, id, reply });
    this.#deps.turn.add(this);
  }

  /** Writes a batch of the answers from `from` on; returns where the next one begins. */
  #write(answers: readonly Answer[], from: number): number {
    const { writer } = this.#deps;
    const { session } = answers[from] as Answer;
    writer.begin({ type: 'replies', session, member: this.#self });
    for (let at = from; at < answers.length; at++) {
      const answer = answers[at] as Answer;
      if (answer.session !== session || !writer.addReply(answer.id, answer.reply)) return at;
    }
    return answers.length;
  }
}
