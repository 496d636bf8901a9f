/** Every limit of the RESP interface, with its unit. */
export type RespOptions = {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly connectionsMax: number;
  /** Commands of one connection that are under way at once; the next ones wait. */
  readonly pipelineMax: number;
  /** Requests and replies held at once, of all connections together. */
  readonly inFlightBytesMax: number;
  /** Of an inline command, and of the head of a request or of an argument. */
  readonly lineBytesMax: number;
  readonly argumentsMax: number;
  /** Of the arguments of one command together. */
  readonly requestBytesMax: number;
  /** The same of who has not shown a token yet. */
  readonly unknownArgumentsMax: number;
  readonly unknownArgumentBytesMax: number;
  readonly keyBytesMax: number;
  readonly valueBytesMax: number;
  /** Operations that a command on many keys gives to the store at once. */
  readonly batchOperationsMax: number;
  /** Of the values in one reply. */
  readonly replyBytesMax: number;
  /** Bytes that wait for a slow reader; until they are gone no more of its commands begin. */
  readonly outputBytesMax: number;
  /** Who asks a node that does not hold the key is answered by it, or told who does. */
  readonly redirect: 'never' | 'owner';
  /** A connection without a command for so long is closed; 0: never. */
  readonly idleTimeoutMs: number;
  /** A reader who takes nothing for so long loses its connection. */
  readonly stallMsMax: number;
  readonly handshakeTimeoutMs: number;
  /** Keys that KEYS answers at most; more is an error. */
  readonly keysMax: number;
  /** Keys of a page of SCAN at most. */
  readonly scanCountMax: number;
  /** Cursors of SCAN that are remembered, the last used ones. */
  readonly cursorsMax: number;
  /** Commands at once that look at all keys: KEYS and DBSIZE. */
  readonly sweepsMax: number;
  readonly ttlMsMax: number;
  readonly askedTimeoutMsMax: number;
};

const KIB = 1024;
const MIB = 1024 * KIB;

export const defaultRespOptions: RespOptions = {
  host: '127.0.0.1',
  port: 6379,
  connectionsMax: 10_000,
  pipelineMax: 1024,
  inFlightBytesMax: 256 * MIB,
  lineBytesMax: 64 * KIB,
  argumentsMax: 65_536,
  requestBytesMax: 32 * MIB,
  unknownArgumentsMax: 10,
  unknownArgumentBytesMax: 16 * KIB,
  keyBytesMax: 1024,
  valueBytesMax: 8 * MIB,
  batchOperationsMax: 1000,
  replyBytesMax: 32 * MIB,
  outputBytesMax: MIB,
  redirect: 'never',
  idleTimeoutMs: 0,
  stallMsMax: 30_000,
  handshakeTimeoutMs: 10_000,
  keysMax: 100_000,
  scanCountMax: 1000,
  cursorsMax: 10_000,
  sweepsMax: 2,
  ttlMsMax: 3_153_600_000_000,
  askedTimeoutMsMax: 60_000,
};
