import { connect, type Socket } from 'node:net';

export type LeanAnswer = {
  readonly status: number;
  /** One character for each byte. */
  readonly body: string;
};

/** Statuses whose answers have no body, and so no length. */
const BODILESS = new Set([204, 304]);

/**
 * One keep-alive connection that sends one request at a time and reads no more of the head of an answer than its status and
 * its length: a load generator that costs little beside what it measures, as compiled ones do.
 */
export class LeanHttpClient {
  readonly #socket: Socket;
  #received = '';
  #asker: { resolve(answer: LeanAnswer): void; reject(error: Error): void } | undefined;
  #failure: Error | undefined;

  constructor(port: number) {
    this.#socket = connect({ host: '127.0.0.1', port, noDelay: true });
    this.#socket.setEncoding('latin1');
    this.#socket.on('data', (chunk: string) => this.#take(chunk));
    this.#socket.on('error', (error) => this.#fail(error));
    this.#socket.on('close', () => this.#fail(new Error('the connection was closed')));
  }

  /** Whether it broke while nobody waited for an answer. */
  get isBroken(): boolean {
    return this.#failure !== undefined;
  }

  /** Resolves with the status once the whole answer has arrived. */
  async request(method: string, path: string, body: string): Promise<number> {
    const { status } = await this.exchange(method, path, body);
    return status;
  }

  /** The answer must have a Content-Length, or a status without a body. */
  exchange(method: string, path: string, body: string): Promise<LeanAnswer> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) {
        reject(this.#failure);
        return;
      }
      this.#asker = { resolve, reject };
      this.#socket.write(
        `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(chunk: string): void {
    this.#received += chunk;
    const end = this.#received.indexOf('\r\n\r\n');
    if (end < 0) return;
    const status = Number(this.#received.slice(9, 12));
    const length =
      /\r\ncontent-length: (\d+)/i.exec(this.#received)?.[1] ?? (BODILESS.has(status) ? 0 : undefined);
    if (length === undefined) {
      this.#fail(new Error(`no Content-Length in: ${this.#received}`));
      return;
    }
    const bodyAt = end + 4;
    if (this.#received.length < bodyAt + Number(length)) return;
    const body = this.#received.slice(bodyAt);
    this.#received = '';
    const asker = this.#asker;
    this.#asker = undefined;
    asker?.resolve({ status, body });
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#asker?.reject(error);
    this.#asker = undefined;
  }
}
