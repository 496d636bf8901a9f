import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HttpSeries } from '../http-timings.ts';
import type { HttpContext } from './http-context.ts';
import { HttpProblem } from './problem.ts';
import type { Role } from './role.ts';
import type { Caller } from './token-file.ts';

/** One request and its answer, with what it holds of the server's limits. */
export type Exchange = {
  readonly context: HttpContext;
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly series: HttpSeries;
  readonly startedMs: number;
  /** Who asks; undefined where everybody may, and until it is known. */
  caller: Caller | undefined;
  requestBytes: number;
  heldBytes: number;
};

/** Bytes that a finished handler may leave in the socket without being counted any longer. */
const UNCOUNTED_BYTES_MAX = 64 * 1024;

/** Counts `bytes` as held by this exchange, or refuses the request. */
export function holdBytes(exchange: Exchange, bytes: number): void {
  const { inFlight } = exchange.context;
  if (inFlight.bytes + bytes > inFlight.bytesMax) throw overloaded(exchange.context);
  inFlight.bytes += bytes;
  exchange.heldBytes += bytes;
}

export function overloaded(context: HttpContext): HttpProblem {
  const { requests, bytes } = context.inFlight;
  const detail = `The node serves as much as it may: ${requests} requests holding ${bytes} bytes.`;
  return new HttpProblem('OVERLOADED', detail);
}

export function releaseBytes(exchange: Exchange): void {
  exchange.context.inFlight.bytes -= exchange.heldBytes;
  exchange.heldBytes = 0;
}

/** Frees what the exchange holds: at once, or where a large answer is still in memory once it has left. */
export function settle(exchange: Exchange): void {
  exchange.context.inFlight.requests--;
  const { res } = exchange;
  const gone = res.writableFinished || res.socket === null || res.socket.destroyed;
  if (gone || exchange.heldBytes <= UNCOUNTED_BYTES_MAX) releaseBytes(exchange);
  else res.once('close', () => releaseBytes(exchange));
}

/** Throws FORBIDDEN where whoever asks may not do what takes `needed`: for what only a parsed request tells. */
export function requireRole({ context, req, caller }: Exchange, needed: Role): void {
  if (caller !== undefined) context.access?.require(caller, req, needed);
}

/** Whether repeating the request can do no harm. */
export function isIdempotent({ req }: Exchange): boolean {
  return req.method === 'GET' || req.method === 'HEAD' || req.headers['idempotency-key'] !== undefined;
}
