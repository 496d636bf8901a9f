import type { VerifyProgress } from '../../replication/data-admin.ts';
import type { Exchange } from './exchange.ts';
import { LineStream } from './line-stream.ts';
import { HttpProblem } from './problem.ts';
import { whileAsked } from './request-signal.ts';
import { rawQuery } from './request-target.ts';
import { dataOf } from './ring-handlers.ts';
import { parseQuery } from './validate.ts';

/**
 * Verifies, and tells how far it is, a line at a time; the last line is the report, or the problem where it failed half
 * way. What fails before the first line is answered as any other refusal.
 */
export async function verifyData(exchange: Exchange): Promise<void> {
  const { req, context } = exchange;
  const { inFlight, schemas } = context;
  const { node } = parseQuery(schemas.verifyQuery, rawQuery(req.url as string));
  const data = dataOf(exchange);
  if (inFlight.verifies >= inFlight.verifiesMax) {
    const detail = `${inFlight.verifies} verifications are under way on this node; no more are accepted.`;
    throw new HttpProblem('OVERLOADED', detail);
  }
  inFlight.verifies++;
  inFlight.requests--;
  try {
    using lines = new LineStream(exchange, { type: 'progress', done: 0, total: 0 });
    const onProgress = (progress: VerifyProgress): void => lines.show({ type: 'progress', ...progress });
    await lines.end(async () => ({
      type: 'report',
      ...(await whileAsked(exchange, (signal) => data.verify({ node }, onProgress, signal))),
    }));
  } finally {
    inFlight.verifies--;
    inFlight.requests++;
  }
}
