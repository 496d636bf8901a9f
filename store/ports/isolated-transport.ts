import type { Transport } from './transport.ts';

/** The transport of a node that is alone, real or simulated: nothing arrives, and whatever is sent is dropped. */
export function createIsolatedTransport(): Transport {
  return { send() {}, onMessage() {}, close: async () => {} };
}
