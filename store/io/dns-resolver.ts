import { lookup } from 'node:dns/promises';
import type { Resolver } from '../ports/resolver.ts';
export const dnsResolver: Resolver = {
  async resolve(seed) {
    const colon = seed.lastIndexOf(':');
    const found = await lookup(seed.slice(0, colon), { all: true });
    return found.map(
      ({ address, family }) => `${family === 6 ? `[${address}]` : address}${seed.slice(colon)}`,
    );
  },
};
