import dns from 'node:dns';
import promises from 'node:dns/promises';
import { syncBuiltinESMExports } from 'node:module';

/**
 * Loaded before a program (`node --import`): names that a network of containers or pods would know lead to addresses of this machine, and all others
 * where they always do. HOST_NAMES has them as JSON, `{"kvorum-1": "127.70.0.1", ".svc": "127.77.0.1"}`; one that begins with a dot means every
 * name that ends with it.
 */
const ADDRESSES = JSON.parse(process.env.HOST_NAMES ?? '{}') as Readonly<Record<string, string>>;
const FAMILY = 4;

type Found = { readonly address: string; readonly family: number };
type Callback = (error: Error | null, found?: string | readonly Found[], family?: number) => void;
type Lookup = (name: string, options: { readonly all?: boolean }, callback: Callback) => void;
type PromisedLookup = (
  name: string,
  options: { readonly all?: boolean },
) => Promise<Found | readonly Found[]>;

const lookup = dns.lookup as Lookup;
const promised = promises.lookup as PromisedLookup;

function knownAs(name: string): Found | undefined {
  const isMeant = (known: string): boolean =>
    known === name || (known.startsWith('.') && name.endsWith(known));
  const found = Object.entries(ADDRESSES).find(([known]) => isMeant(known));
  return found === undefined ? undefined : { address: found[1], family: FAMILY };
}

const named: Lookup = (name, options, callback) => {
  const found = knownAs(name);
  if (found === undefined) lookup(name, options, callback);
  else if (options.all === true) process.nextTick(callback, null, [found]);
  else process.nextTick(callback, null, found.address, found.family);
};
const namedPromised: PromisedLookup = async (name, options) => {
  const found = knownAs(name);
  if (found === undefined) return await promised(name, options);
  return options.all === true ? [found] : found;
};
dns.lookup = named as typeof dns.lookup;
promises.lookup = namedPromised as typeof promises.lookup;
syncBuiltinESMExports();
