import { connect, type Socket } from 'node:net';

/** One connection that sends a few commands together and waits for their answers, each of one line. */
export class LeanRespClient {
  readonly #socket: Socket;
  #received = '';
  #asker: { readonly count: number; resolve(lines: string[]): void; reject(error: Error): void } | undefined;

  constructor(endpoint: string) {
    const [host, port] = endpoint.split(':') as [string, string];
    this.#socket = connect({ host, port: Number(port), noDelay: true });
    this.#socket.setEncoding('latin1');
    this.#socket.on('data', (chunk: string) => this.#take(chunk));
    this.#socket.on('error', (error) => this.#asker?.reject(error));
    this.#socket.on('close', () => this.#asker?.reject(new Error('the connection was closed')));
  }

  /** The first line of each answer, without its end. */
  ask(...commands: readonly (readonly string[])[]): Promise<string[]> {
    return new Promise((resolve, reject) => {
      this.#asker = { count: commands.length, resolve, reject };
      this.#socket.write(commands.map(encode).join(''));
    });
  }

  close(): void {
    this.#asker = undefined;
    this.#socket.destroy();
  }

  #take(chunk: string): void {
    this.#received += chunk;
    const lines = this.#received.split('\r\n');
    const asker = this.#asker;
    if (asker === undefined || lines.length <= asker.count) return;
    this.#received = '';
    this.#asker = undefined;
    asker.resolve(lines.slice(0, asker.count));
  }
}

const encode = (words: readonly string[]): string =>
  `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`;
