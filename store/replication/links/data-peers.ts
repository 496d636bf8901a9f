import type { MemberId } from '../../core/raft/types.ts';
import type { DataReply, DataRequest } from '../../peer/data-messages.ts';
import { PeerError, type Transport } from '../../ports/transport.ts';
import type { DataOutcome, DataPeers, ReplicaAskOptions } from '../types.ts';
import type { SharedSignals } from './shared-signals.ts';

export type TransportDataPeersOptions = { readonly self: MemberId };

export type TransportDataPeersDeps = {
  readonly transport: Pick<Transport, 'request'>;
  readonly signals: SharedSignals;
  /** Where the member is, as far as this one knows. */
  addressOf(member: MemberId): string | undefined;
  /** Answers what this member asks itself, as it answers others. */
  serve(request: DataRequest, signal: AbortSignal): Promise<DataReply>;
};

/** The way to a member for requests about whole partitions; the one to this member itself is a call. */
export class TransportDataPeers implements DataPeers {
  readonly #self: MemberId;
  readonly #deps: TransportDataPeersDeps;

  constructor(options: TransportDataPeersOptions, deps: TransportDataPeersDeps) {
    this.#self = options.self;
    this.#deps = deps;
  }

  async request(request: DataRequest, { timeoutMs }: ReplicaAskOptions): Promise<DataOutcome> {
    const signal = this.#deps.signals.within(timeoutMs);
    try {
      if (request.to === this.#self) return await this.#askSelf(request, signal);
      const address = this.#deps.addressOf(request.to);
      if (address === undefined) return unreachable('UNREACHABLE');
      return await this.#askMember(address, request, timeoutMs, signal);
    } catch (error) {
      return unreachable(error instanceof PeerError ? codeOf(error) : 'FAILED');
    }
  }

  async #askSelf(request: DataRequest, signal: AbortSignal): Promise<DataOutcome> {
    const { promise: given, resolve } = Promise.withResolvers<DataOutcome>();
    const giveUp = (): void => resolve(unreachable('TIMEOUT'));
    if (signal.aborted) giveUp();
    signal.addEventListener('abort', giveUp, { once: true });
    const served = this.#deps.serve(request, signal).then((reply): DataOutcome => ({ type: 'reply', reply }));
    try {
      return await Promise.race([served, given]);
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }

  async #askMember(
    address: string,
    request: DataRequest,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<DataOutcome> {
    const reply = await this.#deps.transport.request(
      address,
      { type: 'data', request },
      { timeoutMs, signal },
    );
    if (reply.type === 'data') return { type: 'reply', reply: reply.reply };
    return unreachable(reply.type === 'busy' ? 'OVERLOADED' : 'FAILED');
  }
}

const unreachable = (code: string): DataOutcome => ({ type: 'unreachable', code });

/** Signals are shared with whoever ends at about the same time, or stops: to the asker both are the end of its time. */
const codeOf = ({ code }: PeerError): string => (code === 'ABORTED' ? 'TIMEOUT' : code);
