import type { IncomingMessage } from 'node:http';
import { errorEntry } from './error-table.ts';
import { type Exchange, isIdempotent } from './exchange.ts';
import { ClientGoneError, type HttpProblem, problemDocument, toProblem } from './problem.ts';

/** A body up to this size fits into the socket's buffer; a larger one is watched for a reader that stalls. */
const UNWATCHED_BYTES_MAX = 64 * 1024;
/** A refused body up to this size is skipped and the connection kept. */
const SKIPPED_BODY_BYTES_MAX = 64 * 1024;
/** Of nginx: the client went away. Only the metrics see it. */
export const CLIENT_GONE = 499;

/** Answers in one write. `headers` is name and value in turn; Content-Length is the caller's matter. */
export function answer(exchange: Exchange, status: number, headers: string[], body?: Uint8Array): void {
  const { res, context } = exchange;
  if (context.closing.signal.aborted) headers.push('Connection', 'close');
  res.writeHead(status, headers);
  if (body === undefined) res.end();
  else res.end(body);
  const bytes = body === undefined ? 0 : body.length;
  if (bytes > UNWATCHED_BYTES_MAX) cutWhenStalled(exchange);
  observe(exchange, status, bytes);
}

export function answerJson(
  exchange: Exchange,
  status: number,
  document: unknown,
  headers: string[] = [],
): void {
  const body = Buffer.from(JSON.stringify(document));
  headers.push('Content-Type', 'application/json', 'Content-Length', String(body.length));
  answer(exchange, status, headers, body);
}

export function observe(exchange: Exchange, status: number, responseBytes: number): void {
  const seconds = (exchange.context.clock.monotonicMs() - exchange.startedMs) / 1000;
  exchange.series.observe(status, seconds, exchange.requestBytes, responseBytes);
}

/** Closes the connection when its reader takes nothing for `streamStallMsMax`; Node ends it with the response. */
export function cutWhenStalled(exchange: Exchange): void {
  const { res, context } = exchange;
  res.setTimeout(context.options.streamStallMsMax, () => res.destroy());
}

/** The problem document of `error`, or the end of the connection where an answer has begun already. */
export function answerError(exchange: Exchange, error: unknown): void {
  const { req, res, context } = exchange;
  const problem = toProblem(error);
  if (problem.code === 'INTERNAL' && !(error instanceof ClientGoneError))
    context.log.error({ err: error, method: req.method }, 'request failed');
  if (res.headersSent || req.socket.destroyed) {
    observe(exchange, req.socket.destroyed ? CLIENT_GONE : errorEntry(problem.code).status, 0);
    res.destroy();
    return;
  }
  const headers = problemHeaders(exchange, problem);
  const body = Buffer.from(JSON.stringify(problemDocument(problem, isIdempotent(exchange))));
  headers.push('Content-Length', String(body.length));
  const { status } = errorEntry(problem.code);
  if (hasUnreadBody(req)) answerAndDiscard(exchange, status, headers, body);
  else answer(exchange, status, headers, body);
}

function problemHeaders(exchange: Exchange, problem: HttpProblem): string[] {
  const headers = ['Content-Type', 'application/problem+json', ...problem.headers];
  const { retryAfterSeconds } = exchange.context.options;
  const { status } = errorEntry(problem.code);
  if (status === 503) headers.push('Retry-After', String(retryAfterSeconds));
  if (isOfThisNode(exchange, status)) headers.push('Connection', 'close');
  return headers;
}

/**
 * Whether another node might have answered. A balancer sends new connections elsewhere once a node is not ready, and those that there are
 * stay with it for as long as it keeps them: who came through one would be refused for as long.
 */
function isOfThisNode({ context }: Exchange, status: number): boolean {
  return (status === 503 || status === 504) && !context.closing.signal.aborted && !context.readiness().ready;
}

function hasUnreadBody(req: IncomingMessage): boolean {
  if (req.complete) return false;
  const { 'transfer-encoding': encoding, 'content-length': length, expect } = req.headers;
  if (expect !== undefined) return false;
  return encoding !== undefined || Number(length ?? 0) > SKIPPED_BODY_BYTES_MAX;
}

/**
 * Answers, then goes on reading for a while before it closes: closing at once would reset the connection
 * under a client that is still sending, and the refusal would be lost with it.
 */
function answerAndDiscard(exchange: Exchange, status: number, headers: string[], body: Uint8Array): void {
  const { req, res, context } = exchange;
  const { refusedBodyBytesMax, refusedBodyMsMax } = context.options;
  res.writeHead(status, [...headers, 'Connection', 'close']);
  if (req.method === 'HEAD') res.flushHeaders();
  else res.write(body);
  const end = (): void => {
    timer.cancel();
    res.end();
  };
  const timer = context.clock.setTimer(refusedBodyMsMax, end);
  let discardedBytes = 0;
  req.on('data', (chunk: Buffer) => {
    discardedBytes += chunk.length;
    if (discardedBytes > refusedBodyBytesMax) end();
  });
  req.once('end', end);
  req.once('close', end);
  observe(exchange, status, body.length);
}
