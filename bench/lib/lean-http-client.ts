import { connect, type Socket } from 'node:net';

/**
 * One keep-alive connection that sends one request at a time and reads no more of the answer than its status and its
 * length: a load generator that costs little beside what it measures, as compiled ones do.
 */
export class LeanHttpClient {
  readonly #socket: Socket;
  #received = '';
  #asker: { resolve(status: number): void; reject(error: Error): void } | undefined;

  constructor(port: number) {
    this.#socket = connect({ host: '127.0.0.1', port, noDelay: true });
    this.#socket.setEncoding('latin1');
    this.#socket.on('data', (chunk: string) => this.#take(chunk));
    this.#socket.on('error', (error) => this.#fail(error));
    this.#socket.on('close', () => this.#fail(new Error('the connection was closed')));
  }

  /** Resolves with the status once the whole answer has arrived; it must have a Content-Length. */
  request(method: string, path: string, body: string): Promise<number> {
    return new Promise((resolve, reject) => {
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
    const length = /content-length: (\d+)/i.exec(this.#received)?.[1];
    if (length === undefined) {
      this.#fail(new Error(`no Content-Length in: ${this.#received}`));
      return;
    }
    if (this.#received.length < end + 4 + Number(length)) return;
    const status = Number(this.#received.slice(9, 12));
    this.#received = '';
    const asker = this.#asker;
    this.#asker = undefined;
    asker?.resolve(status);
  }

  #fail(error: Error): void {
    this.#asker?.reject(error);
    this.#asker = undefined;
  }
}
