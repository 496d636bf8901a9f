import type { VerifyProgress } from '../../replication/data-admin.ts';
import { CLIENT_GONE, cutWhenStalled, observe } from './answer.ts';
import { errorEntry } from './error-table.ts';
import type { Exchange } from './exchange.ts';
import { ClientGoneError, HttpProblem, problemDocument, toProblem } from './problem.ts';
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
    using lines = new LineStream(exchange);
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

/** Lines of JSON at the pace of their reader: of progress it is told the newest, and so often that it sees life. */
class LineStream implements Disposable {
  readonly #exchange: Exchange;
  #newest: object = { type: 'progress', done: 0, total: 0 };
  #sentBytes = 0;
  #beat: { cancel(): void };

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
    this.#beat = this.#nextBeat();
  }

  show(line: object): void {
    this.#newest = line;
    const { res } = this.#exchange;
    if (!res.writableNeedDrain && !res.destroyed) this.#write(line);
  }

  /** Sends what `work` comes to as the last line. Rejects where it fails before anything was sent. */
  async end(work: () => Promise<object>): Promise<void> {
    const { res } = this.#exchange;
    try {
      this.#write(await work());
    } catch (error) {
      if (!res.headersSent || error instanceof ClientGoneError) throw error;
      this.#write({ type: 'problem', problem: this.#problemOf(error) });
    }
    cutWhenStalled(this.#exchange);
    res.end();
    observe(this.#exchange, res.destroyed ? CLIENT_GONE : 200, this.#sentBytes);
  }

  [Symbol.dispose](): void {
    this.#beat.cancel();
  }

  #write(line: object): void {
    const { res, context } = this.#exchange;
    if (!res.headersSent) {
      const headers = ['Content-Type', 'application/x-ndjson'];
      if (context.closing.signal.aborted) headers.push('Connection', 'close');
      res.writeHead(200, headers);
    }
    const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
    this.#sentBytes += bytes.length;
    res.write(bytes);
  }

  #nextBeat(): { cancel(): void } {
    const { clock, options } = this.#exchange.context;
    return clock.setTimer(options.verifyProgressMsMax, () => {
      this.show(this.#newest);
      this.#beat = this.#nextBeat();
    });
  }

  #problemOf(error: unknown): object {
    const problem = toProblem(error);
    if (errorEntry(problem.code).status === 500)
      this.#exchange.context.log.error({ err: error }, 'a verification failed');
    return problemDocument(problem);
  }
}
