// biome-ignore-all lint/performance/noBarrelFile: the one entry of the package
export type { RetryOptions } from './backoff.ts';
export type { BatchingOptions } from './batcher.ts';
export type { Bytes } from './bytes.ts';
export { type ClientOptions, KvorumClient } from './client.ts';
export type * from './cluster-types.ts';
export type { TlsOptions } from './connections.ts';
export type * from './data-types.ts';
export {
  type Executed,
  KvorumConnectionError,
  KvorumError,
  KvorumProtocolError,
  KvorumResponseError,
  KvorumTimeoutError,
  type Outcome,
  type Problem,
} from './errors.ts';
export type { Level, ReadLevels, ReadOptions, WriteLevels, WriteOptions } from './levels.ts';
export type * from './operation-types.ts';
export type { LocalEntry, LocalPage, LocalQuery } from './ring-calls.ts';
export type { RingOptions } from './ring-keeper.ts';
export type { Token } from './token.ts';
export type { CallOptions } from './transport.ts';
export type * from './types.ts';
