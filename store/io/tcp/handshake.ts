import { decodeHello, decodeHelloRefusal, decodeProtocolRange, encodeBody } from '../../peer/codec.ts';
import { type Frame, ProtocolError } from '../../peer/frame.ts';
import { overlaps, wrongProtocol } from '../../peer/judge-hello.ts';
import type { Hello, HelloRefusal } from '../../peer/messages.ts';
import type { TransportHandlers } from '../../ports/transport.ts';
import { type Outgoing, outgoing } from './send-queue.ts';

export type HandshakeStep =
  | { readonly type: 'greeted'; readonly peer: Hello }
  | {
      readonly type: 'refused';
      readonly by: 'us' | 'them';
      readonly refusal: HelloRefusal;
      readonly peer: Hello | undefined;
    };

/** Our hello. */
export function greet(handlers: TransportHandlers): Outgoing {
  return outgoing('hello', 'urgent', encodeBody(handlers.hello()));
}

/** What the first frame of the other side comes to. Throws ProtocolError where it is no part of a handshake. */
export function answerHello(frame: Frame, handlers: TransportHandlers): HandshakeStep {
  if (frame.kind === 'hello-refused') return takeFirstFrame(frame);
  if (frame.kind !== 'hello') throw new ProtocolError(`a ${frame.kind} frame before the handshake`);
  const peer = readHello(frame.payload, handlers);
  if ('code' in peer) return { type: 'refused', by: 'us', refusal: peer, peer: undefined };
  const refusal = handlers.judge(peer);
  return refusal === undefined ? { type: 'greeted', peer } : { type: 'refused', by: 'us', refusal, peer };
}

/** The other side's refusal. */
export function takeFirstFrame({ payload }: Frame): HandshakeStep {
  return { type: 'refused', by: 'them', refusal: decodeHelloRefusal(payload), peer: undefined };
}

/** A hello that cannot be read may be of a version that is not ours: then that is what is wrong with it. */
function readHello(payload: Uint8Array, handlers: TransportHandlers): Hello | HelloRefusal {
  try {
    return decodeHello(payload);
  } catch (error) {
    const range = decodeProtocolRange(payload);
    const local = handlers.hello();
    if (range !== undefined && !overlaps(local, range)) return wrongProtocol(local, range);
    return { code: 'BAD_HELLO', message: `the hello cannot be read: ${(error as Error).message}` };
  }
}
