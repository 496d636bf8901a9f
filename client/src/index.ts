// biome-ignore-all lint/performance/noBarrelFile: the one entry of the package
export type { RetryOptions } from './backoff.ts';
export type { Bytes } from './bytes.ts';
export { KvorumClient } from './client.ts';
export type * from './cluster-types.ts';
export type * from './data-types.ts';
export {
  type Executed,
  KvorumConnectionError,
  KvorumError,
  KvorumProtocolError,
  KvorumResponseError,
  KvorumTimeoutError,
  type Problem,
} from './errors.ts';
export type { Level, ReadLevels, WriteLevels } from './levels.ts';
export type { LocalEntry, LocalPage, LocalQuery } from './ring-calls.ts';
export type { CallOptions, TransportOptions as ClientOptions } from './transport.ts';
export type * from './types.ts';
