import { failed, type Reply } from '../../core/resp/reply.ts';
import type { RespContext } from './resp-context.ts';

/** A refusal in the words of the protocol; the message begins with its prefix, as in `ERR syntax error`. */
export class CommandError extends Error {
  override readonly name = 'CommandError';

  get reply(): Reply {
    return failed(this.message);
  }
}

export const SYNTAX_ERROR = 'ERR syntax error';
export const NOT_AN_INTEGER = 'ERR value is not an integer or out of range';

export function wrongArity(name: string): string {
  return `ERR wrong number of arguments for '${name}' command`;
}

/** Of what reads and writes in one step; `what` is as the client wrote it, in capitals. */
export function needsLinearizable(what: string): string {
  return `ERR NEEDS_LINEARIZABLE ${what} reads and writes in one step, or changes several keys at once: that takes a namespace of the class linearizable, and this one is of the class quorum`;
}

/** What a namespace of the class quorum cannot promise. */
export function refuseLinearizable(what: string): never {
  throw new CommandError(needsLinearizable(what));
}

/** Of a node that holds as much as it may. */
export function overloaded({ inFlight, options }: Pick<RespContext, 'inFlight' | 'options'>): string {
  return `OOM OVERLOADED this node holds ${inFlight.bytes} bytes of requests and replies, ${options.inFlightBytesMax} are allowed (resp.inFlightBytesMax); try again`;
}
