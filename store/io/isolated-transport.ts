import type { Transport } from '../ports/transport.ts';

/** The transport of a node that is alone: it has no peers, so nothing arrives and whatever is sent is dropped. */
export function createIsolatedTransport(): Transport {
  return { send() {}, onMessage() {}, close: async () => {} };
}
