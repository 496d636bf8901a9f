import { toEpoch } from '../../core/topology/types.ts';
import type { ReplicaReply, ReplicaRequest } from '../../peer/replica-messages.ts';
import type { Replica, ReplicaCall } from '../types.ts';

const NOTHING = { wallMs: 0, counter: 0, member: 0 };

export const askFor = (to: number, name: string): ReplicaRequest => ({
  to,
  partition: 1,
  epoch: toEpoch(4),
  namespaceId: 1,
  key: new TextEncoder().encode(name),
  body: { type: 'ask' },
});

export const storeOf = (to: number, name: string, record: Uint8Array): ReplicaRequest => ({
  ...askFor(to, name),
  body: { type: 'store', origin: 'write', record, sourceWatermark: undefined },
});

export const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** Says of every request that it holds a version that names the request: the number in its key. */
export class EchoReplica implements Pick<Replica, 'answer' | 'serveNow'> {
  readonly served: string[] = [];
  readonly signals: AbortSignal[] = [];
  /** Answers in the turn of the call. */
  isPrompt = true;
  /** What an answer that is not prompt waits for. */
  delay: (signal: AbortSignal) => Promise<unknown> = async () => {};
  readonly #self: number;

  constructor(self: number) {
    this.#self = self;
  }

  serveNow(request: ReplicaRequest): ReplicaReply | undefined {
    return this.isPrompt ? this.#answer(request) : undefined;
  }

  answer({ request, signal, done }: ReplicaCall): void {
    this.signals.push(signal);
    void this.delay(signal).then(() => done(this.#answer(request)));
  }

  #answer({ key, epoch }: ReplicaRequest): ReplicaReply {
    const name = textOf(key);
    this.served.push(name);
    return {
      from: this.#self,
      epoch,
      body: { type: 'held', version: { ...NOTHING, wallMs: Number(name), member: this.#self } },
    };
  }
}
