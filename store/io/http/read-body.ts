import type { ErrorCode } from './error-table.ts';
import { type Exchange, holdBytes, overloaded } from './exchange.ts';
import { hasRoomFor } from './in-flight.ts';
import { HttpProblem } from './problem.ts';

const NOTHING = Buffer.alloc(0);

/** The whole body, at most `bytesMax`, counted against the memory that requests may hold as it arrives. */
export function readBody(exchange: Exchange, bytesMax: number, tooLarge: ErrorCode): Promise<Buffer> {
  const { req, res, context } = exchange;
  const length = Number(req.headers['content-length'] ?? 0);
  if (length > bytesMax) return Promise.reject(tooLargeProblem(tooLarge, bytesMax));
  if (!hasRoomFor(context.inFlight, length)) return Promise.reject(overloaded(context));
  if (req.headers.expect !== undefined) res.writeContinue();
  if (length === 0 && req.headers['transfer-encoding'] === undefined) return Promise.resolve(NOTHING);
  return collect(exchange, bytesMax, tooLarge);
}

function collect(exchange: Exchange, bytesMax: number, tooLarge: ErrorCode): Promise<Buffer> {
  const { req } = exchange;
  const chunks: Buffer[] = [];
  return new Promise((resolve, reject) => {
    const onData = (chunk: Buffer): void => {
      try {
        exchange.requestBytes += chunk.length;
        if (exchange.requestBytes > bytesMax) throw tooLargeProblem(tooLarge, bytesMax);
        holdBytes(exchange, chunk.length);
        chunks.push(chunk);
      } catch (error) {
        req.off('data', onData);
        req.off('end', onEnd);
        reject(error);
      }
    };
    const onEnd = (): void => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks));
    req.on('data', onData);
    req.on('end', onEnd);
    // An aborted upload: nobody is left to answer.
    req.on('error', reject);
  });
}

function tooLargeProblem(code: ErrorCode, bytesMax: number): HttpProblem {
  return new HttpProblem(code, `At most ${bytesMax} bytes are accepted.`, { maxBytes: bytesMax });
}
