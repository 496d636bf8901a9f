import type { MemberId } from '../../core/raft/types.ts';
import type { Epoch } from '../../core/topology/types.ts';
import type { DataReply, DataRequest } from '../../peer/data-messages.ts';
import type { DataOutcome, DataPeers } from '../types.ts';

/** `epoch` is there where the member said which one it is at. */
export type AskFailure = {
  readonly type: 'failed';
  readonly reason: string;
  readonly epoch: Epoch | undefined;
};

type ReplyType = Exclude<DataReply['type'], 'data-refused'>;
type ReplyOf<Type extends ReplyType> = Extract<DataReply, { readonly type: Type }>;

export type DataAskerOptions = {
  readonly self: MemberId;
  readonly requestMs: number;
  /** How often a request is sent where nothing comes back. */
  readonly sendsMax: number;
};
export type DataAskerDeps = {
  readonly peers: DataPeers;
  /** This member's own answer: then nothing is encoded. */
  readonly answer: (request: DataRequest) => Promise<DataReply>;
};

/** Asks any member of a replica set, this one included, and takes only an answer of the kind that was asked for. */
export class DataAsker {
  readonly #options: DataAskerOptions;
  readonly #deps: DataAskerDeps;

  constructor(options: DataAskerOptions, deps: DataAskerDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  async ask<Type extends ReplyType>(type: Type, request: DataRequest): Promise<ReplyOf<Type> | AskFailure> {
    let outcome = await this.#send(request);
    // All of these may be asked again: what was lost once is no reason to begin a comparison anew.
    for (let sent = 1; outcome.type === 'unreachable' && sent < this.#options.sendsMax; sent++)
      outcome = await this.#send(request);
    if (outcome.type === 'unreachable') return failure(outcome.code, undefined);
    const { reply } = outcome;
    if (reply.type === 'data-refused') return failure(`${reply.code}: ${reply.message}`, reply.epoch);
    if (reply.type !== type) return failure(`asked for ${type}, answered with ${reply.type}`, undefined);
    return reply as ReplyOf<Type>;
  }

  async #send(request: DataRequest): Promise<DataOutcome> {
    const { self, requestMs } = this.#options;
    if (request.to === self) return { type: 'reply', reply: await this.#deps.answer(request) };
    return await this.#deps.peers.request(request, { timeoutMs: requestMs });
  }
}

export const isFailure = (value: { readonly type: string }): value is AskFailure => value.type === 'failed';

function failure(reason: string, epoch: Epoch | undefined): AskFailure {
  return { type: 'failed', reason, epoch };
}
