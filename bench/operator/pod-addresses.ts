import dns from 'node:dns';

/**
 * Loaded before the operator's own code (`node --import`): names of pods lead to where the store of the benchmark listens, and all others
 * where they always do. What the operator does with an address is not changed.
 */
const STORE_HOST = process.env.BENCH_STORE_HOST ?? '127.0.0.1';
const POD = /\.svc$/;
const FAMILY = 4;

type Callback = (error: Error | null, address: unknown, family?: number) => void;
type Lookup = (name: string, options: object, callback: Callback) => void;

const lookup = dns.lookup as Lookup;
const withPods: Lookup = (name, options, callback) => {
  if (!POD.test(name)) return lookup(name, options, callback);
  const isAll = 'all' in options && options.all === true;
  if (isAll) process.nextTick(callback, null, [{ address: STORE_HOST, family: FAMILY }]);
  else process.nextTick(callback, null, STORE_HOST, FAMILY);
};
dns.lookup = withPods as typeof dns.lookup;
