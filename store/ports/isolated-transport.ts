import { PeerError, type Transport } from './transport.ts';

/** The transport of a node that is alone, real or simulated: nothing arrives, and whatever is sent is dropped. */
export function createIsolatedTransport(address = 'isolated:0'): Transport {
  return {
    address,
    start: async () => {},
    send: () => false,
    async request(to) {
      throw new PeerError('UNREACHABLE', `this node reaches nobody, also not ${to}`, { isUnsent: true });
    },
    reset() {},
    links: () => [],
    close: async () => {},
  };
}
