import {
  decodeHello,
  decodeMessage,
  decodeReply,
  decodeRequest,
  encodeBody,
  encodeReply,
  frameMessage,
} from '../../peer/codec.ts';
import type { Hello, PeerMessage, PeerReply, PeerRequest } from '../../peer/messages.ts';
import { deepFreeze } from './deep-freeze.ts';

/** What a payload is at the other end of a wire: another value, or the same one that nobody can change any more. */
export type Wire = {
  hello(hello: Hello): Hello;
  message(message: PeerMessage): PeerMessage;
  request(request: PeerRequest): PeerRequest;
  reply(reply: PeerReply): PeerReply;
};

/** Cheap: nothing is copied. */
export const FREEZING: Wire = {
  hello: deepFreeze,
  message: deepFreeze,
  request: deepFreeze,
  reply: deepFreeze,
};

/** As on real links: everything becomes bytes, and what comes out is checked. */
export const ENCODING: Wire = {
  hello: (hello) => decodeHello(encodeBody(hello)),
  message: (message) => {
    const { kind, payload } = frameMessage(message);
    return kind === 'replica' ? { type: kind, batch: payload.slice() } : decodeMessage(payload);
  },
  request: (request) => decodeRequest(encodeBody(request)),
  reply(reply) {
    const { payload, tail } = encodeReply(reply);
    return decodeReply(Buffer.concat([payload, tail]));
  },
};
