import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { formatAddress, parseAddress } from '../peer/address.ts';
import type { Resolver } from '../ports/resolver.ts';

/** Looks names up as the system does (hosts file, DNS, search domains), each time anew: pods come and go. */
export const dnsResolver: Resolver = {
  async resolve(seed) {
    const target = parseAddress(seed);
    if (target === undefined) throw new Error(`"${seed}" is no seed: name it as host:port, or [IPv6]:port`);
    const { host, port } = target;
    if (isIP(host) !== 0) return [formatAddress(target)];
    const found = await lookupAll(host, seed);
    return [...new Set(found.map(({ address }) => formatAddress({ host: address, port })))];
  },
};

async function lookupAll(host: string, seed: string): Promise<readonly { readonly address: string }[]> {
  try {
    return await lookup(host, { all: true, order: 'verbatim' });
  } catch (error) {
    const { code } = error as { readonly code?: string };
    const reason = code === 'ENOTFOUND' ? 'no such name' : (error as Error).message;
    throw new Error(`the seed ${seed} cannot be looked up: ${reason}`, { cause: error });
  }
}
