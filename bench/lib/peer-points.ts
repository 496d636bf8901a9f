/** What `bench peers` measures: one load at one size. */
export type Point = {
  readonly kind: 'puts' | 'gets';
  readonly clients: number;
  /** Requests that a client sends together, or has under way at once. */
  readonly depth: number;
  readonly isOneKey: boolean;
  /** By the clock; as many as are answered where absent. */
  readonly perSecond?: number;
};

export const CONTENDERS = ['kvorum', 'kvorum-any', 'kvorum-http', 'etcd', 'redis'] as const;
export type ContenderName = (typeof CONTENDERS)[number];

export const TITLES: Readonly<Record<ContenderName, string>> = {
  kvorum: 'Kvorum, RESP',
  'kvorum-any': 'Kvorum, RESP, any node',
  'kvorum-http': 'Kvorum, HTTP',
  etcd: 'etcd',
  redis: 'Redis, WAIT 1',
};

/** One turn of one contender at one point. */
export type PeerSample = {
  readonly name: ContenderName;
  readonly point: Point;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  /** Of all its servers, for 100,000 requests. */
  readonly cpuSeconds: number;
  /** Of the load's process, likewise. */
  readonly loadCpuSeconds: number;
};

export function titleOf({ kind, clients, depth, isOneKey, perSecond }: Point): string {
  const pipeline = depth === 1 ? '' : ` x ${depth}`;
  const pace = perSecond === undefined ? '' : ` at ${perSecond.toLocaleString('en-US')} a second`;
  return `${kind}, ${clients}${pipeline}${isOneKey ? ', one key' : ''}${pace}`;
}

export const isSame = (a: Point, b: Point): boolean => titleOf(a) === titleOf(b);

/** Short, for the names of figures. */
export function nameOf({ kind, clients, depth, isOneKey, perSecond }: Point): string {
  const parts = [kind, clients, depth === 1 ? '' : `x${depth}`, isOneKey ? 'one_key' : ''];
  return [...parts, perSecond === undefined ? '' : 'paced'].filter((part) => part !== '').join('_');
}
