import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type Plain, readReplies } from '../../store/io/resp/dumb-reply-reader.ts';
import { encodeCommand } from '../../store/io/resp/test-resp.ts';

export type RespCommand = readonly (string | Uint8Array)[];

/** A connection ended, or said nothing in time. `wasSent`: the node may have heard the command. */
export class RespConnectionError extends Error {
  override readonly name = 'RespConnectionError';
  readonly code: string;
  readonly wasSent: boolean;

  constructor(code: string, message: string, wasSent: boolean) {
    super(message);
    this.code = code;
    this.wasSent = wasSent;
  }
}

/** Commands in the plain bytes of the protocol, never repeated: what is not answered may have been done. */
export class RespConnection {
  readonly #socket: Socket;
  #received = '';
  #take: ((replies: readonly Plain[]) => void) | undefined;
  #fail: ((error: Error) => void) | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('error', (error: NodeJS.ErrnoException) =>
      this.#fail?.(new RespConnectionError(error.code ?? error.name, error.message, true)),
    );
    socket.on('close', () =>
      this.#fail?.(new RespConnectionError('CLOSED', 'the connection was closed before the answer', true)),
    );
  }

  /** Rejects with RespConnectionError. */
  static async open(host: string, port: number, signal: AbortSignal): Promise<RespConnection> {
    const socket = connect({ host, port, noDelay: true });
    try {
      await once(socket, 'connect', { signal });
    } catch (error) {
      socket.on('error', () => {});
      socket.destroy();
      const { code, message, name } = error as NodeJS.ErrnoException;
      throw new RespConnectionError(typeof code === 'string' ? code : name, message, false);
    }
    return new RespConnection(socket);
  }

  /** The other side has closed it, or a command failed. */
  get isBroken(): boolean {
    return this.#socket.destroyed || this.#socket.readableEnded;
  }

  /** One reply for each command; one call at a time. Rejects with RespConnectionError, and the connection is of no use any more. */
  async run(commands: readonly RespCommand[], signal: AbortSignal): Promise<readonly Plain[]> {
    const expired = (): void =>
      this.#fail?.(new RespConnectionError('TimeoutError', 'no answer came in time', true));
    signal.addEventListener('abort', expired, { once: true });
    try {
      return await new Promise((resolve, reject) => {
        const replies: Plain[] = [];
        this.#fail = reject;
        this.#take = (more) => {
          replies.push(...more);
          if (replies.length >= commands.length) resolve(replies);
        };
        this.#socket.write(Buffer.concat(commands.map(encodeCommand)));
      });
    } catch (error) {
      this.close();
      throw error;
    } finally {
      signal.removeEventListener('abort', expired);
      this.#fail = undefined;
      this.#take = undefined;
    }
  }

  close(): void {
    this.#socket.destroy();
  }

  #onData(chunk: Buffer): void {
    const { replies, rest } = readReplies(this.#received + chunk.toString('latin1'));
    this.#received = rest;
    if (replies.length > 0) this.#take?.(replies);
  }
}
