import type { ReplicaReply, ReplicaRequest } from '../../peer/replica-messages.ts';
import type { Replica } from '../types.ts';
import type { SharedSignals } from './shared-signals.ts';
import type { OnEnd, WaitingRequest } from './waiting-request.ts';
import type { WaitingTable } from './waiting-table.ts';

export type LocalLinkDeps = {
  readonly table: WaitingTable;
  readonly replica: Pick<Replica, 'answer' | 'serveNow'>;
  readonly signals: SharedSignals;
};

/** The way to this member's own replica: nothing is encoded, and no request waits for the end of a turn. */
export class LocalLink {
  readonly table: WaitingTable;
  readonly #deps: LocalLinkDeps;

  constructor(deps: LocalLinkDeps) {
    this.table = deps.table;
    this.#deps = deps;
  }

  /** True where the answer took no waiting; `onEnd` gets it in a microtask. */
  askNow(request: ReplicaRequest, onEnd: OnEnd): boolean {
    const reply = this.#deps.replica.serveNow?.(request);
    if (reply === undefined) return false;
    queueMicrotask(() => onEnd({ type: 'reply', reply }));
    return true;
  }

  ask(request: ReplicaRequest, timeoutMs: number, waiting: WaitingRequest): void {
    const { replica, signals } = this.#deps;
    this.table.add(waiting);
    let isAsked = false;
    const done = (reply: ReplicaReply): void => {
      if (isAsked) this.table.end(waiting, { type: 'reply', reply });
      else queueMicrotask(() => this.table.end(waiting, { type: 'reply', reply }));
    };
    answered(() => replica.answer({ request, signal: signals.within(timeoutMs), isLocal: true, done }));
    isAsked = true;
  }
}

/** A replica that throws has broken its word: that ends the process. */
export function answered(ask: () => void): void {
  try {
    ask();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
