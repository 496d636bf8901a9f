import type { Transport } from '../ports/transport.ts';

/** A network on which everything is lost. */
export function createSilentTransport(): Transport {
  return { send() {}, onMessage() {}, close: async () => {} };
}
