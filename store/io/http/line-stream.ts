import { CLIENT_GONE, cutWhenStalled, observe } from './answer.ts';
import { errorEntry } from './error-table.ts';
import type { Exchange } from './exchange.ts';
import { ClientGoneError, problemDocument, toProblem } from './problem.ts';

/** Lines of JSON at the pace of their reader: of progress it is told the newest, and so often that it sees life. */
export class LineStream implements Disposable {
  readonly #exchange: Exchange;
  #newest: object;
  #sentBytes = 0;
  #beat: { cancel(): void };

  /** `first` is shown where nothing else is in time. */
  constructor(exchange: Exchange, first: object) {
    this.#exchange = exchange;
    this.#newest = first;
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
    return clock.setTimer(options.streamLineMsMax, () => {
      this.show(this.#newest);
      this.#beat = this.#nextBeat();
    });
  }

  #problemOf(error: unknown): object {
    const problem = toProblem(error);
    if (errorEntry(problem.code).status === 500)
      this.#exchange.context.log.error({ err: error }, 'a stream of lines failed');
    return problemDocument(problem);
  }
}
