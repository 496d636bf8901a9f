/** Every limit of the HTTP interface, with its unit. */
export type HttpOptions = {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly keyBytesMax: number;
  readonly valueBytesMax: number;
  readonly contentTypeBytesMax: number;
  readonly ttlSecondsMax: number;
  readonly batchOperationsMax: number;
  /** Of the JSON document. */
  readonly batchBytesMax: number;
  /** Of the values that one batch reads: what comes after is refused, operation by operation. */
  readonly batchReadBytesMax: number;
  readonly scanLimitDefault: number;
  readonly scanLimitMax: number;
  /** Keys and values of a page; a page of one entry may exceed it. */
  readonly scanPageBytesMax: number;
  /** Of the request line and the headers together. */
  readonly headerBytesMax: number;
  readonly headersMax: number;
  readonly headersTimeoutMs: number;
  /** From the first byte of a request to the last of its body. */
  readonly requestTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  /** A connection on which nothing moved either way for so long is closed. */
  readonly idleSocketMsMax: number;
  /** A reader who takes nothing for so long loses its connection. */
  readonly streamStallMsMax: number;
  /** How much, and for how long, a refused body is read so that its sender sees the refusal. */
  readonly refusedBodyBytesMax: number;
  readonly refusedBodyMsMax: number;
  readonly connectionsMax: number;
  readonly inFlightRequestsMax: number;
  /** Bodies that are being read, stored or sent, together. */
  readonly inFlightBytesMax: number;
  /** Requests that wait for a change of the topology; they are not counted as in flight meanwhile. */
  readonly waitingRequestsMax: number;
  /** How long such a request waits where it does not say, and at most: less than `idleSocketMsMax`. */
  readonly topologyWaitMsDefault: number;
  readonly topologyWaitMsMax: number;
  /** The longest time that a request for keys may ask for with `timeoutMs`. */
  readonly askedTimeoutMsMax: number;
  /** How long a request waits for this node to apply the epoch that its client knows. */
  readonly catchUpMsMax: number;
  /** Streams of POST /v1/verify at once. */
  readonly verifiesMax: number;
  /** A stream that tells how far something is has a line at least so often. */
  readonly streamLineMsMax: number;
  /** Whoever watches an operation is told so often of what is no change of the topology, such as a member that went down. */
  readonly operationLookMs: number;
  /** Whether POST /v1/nodes/{name}:stop stops this node. */
  readonly remoteStop: boolean;
  /** Of the JSON document of a change of the cluster or of a namespace. */
  readonly changeBodyBytesMax: number;
  /** What `Retry-After` says. */
  readonly retryAfterSeconds: number;
};

const KIB = 1024;
const MIB = 1024 * KIB;

export const defaultHttpOptions: HttpOptions = {
  host: '127.0.0.1',
  port: 7400,
  keyBytesMax: 1024,
  valueBytesMax: 8 * MIB,
  contentTypeBytesMax: 255,
  ttlSecondsMax: 3_153_600_000,
  batchOperationsMax: 1000,
  batchBytesMax: 16 * MIB,
  batchReadBytesMax: 32 * MIB,
  scanLimitDefault: 100,
  scanLimitMax: 1000,
  scanPageBytesMax: 4 * MIB,
  headerBytesMax: 16 * KIB,
  headersMax: 100,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 60_000,
  keepAliveTimeoutMs: 60_000,
  idleSocketMsMax: 120_000,
  streamStallMsMax: 30_000,
  refusedBodyBytesMax: 32 * MIB,
  refusedBodyMsMax: 2_000,
  connectionsMax: 10_000,
  inFlightRequestsMax: 4096,
  inFlightBytesMax: 256 * MIB,
  waitingRequestsMax: 1024,
  topologyWaitMsDefault: 30_000,
  topologyWaitMsMax: 60_000,
  askedTimeoutMsMax: 60_000,
  catchUpMsMax: 5_000,
  verifiesMax: 2,
  streamLineMsMax: 2_000,
  operationLookMs: 500,
  remoteStop: true,
  changeBodyBytesMax: 64 * KIB,
  retryAfterSeconds: 1,
};
