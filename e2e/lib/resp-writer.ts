import { type RespCommand, RespConnection, RespConnectionError } from './resp-connection.ts';
import { type RespTarget, respError } from './resp-data-client.ts';

/** The status that HTTP has for it; `etag` empty where no version was told. */
export type WriteAnswer = { readonly status: number; readonly etag: string };

const TIMEOUT_MS = 10_000;
const DONE = 204;

/** Writes on one connection, one after the other, and is of no use once a write had no answer. */
export class RespWriter implements Disposable {
  readonly #target: RespTarget;
  #connection: RespConnection | undefined;

  constructor(target: RespTarget) {
    this.#target = target;
  }

  /** `value` undefined: a delete, whose answer tells no version. Undefined where there was no answer. */
  async send(key: string, value: Buffer | undefined): Promise<WriteAnswer | undefined> {
    const command: RespCommand = value === undefined ? ['DEL', key] : ['KV.SET', key, value];
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    try {
      this.#connection ??= await RespConnection.open(this.#target.host, this.#target.port, signal);
      const [reply] = await this.#connection.run([command], signal);
      if (reply instanceof Error) return { status: respError(reply.message).status, etag: '' };
      return { status: DONE, etag: typeof reply === 'string' ? reply : '' };
    } catch (error) {
      if (error instanceof RespConnectionError) return undefined;
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#connection?.close();
  }
}
