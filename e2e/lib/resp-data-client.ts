import { errorEntry, isErrorCode } from '../../store/io/http/error-table.ts';
import type { Plain } from '../../store/io/resp/dumb-reply-reader.ts';
import type { DataRefusal, KeyIntent, KeyOutcome } from './data-client.ts';
import { type RespCommand, RespConnection, RespConnectionError } from './resp-connection.ts';

/** Where a node serves clients of Redis. */
export type RespTarget = { readonly host: string; readonly port: number };

/** The same as over HTTP: nodes answer within 5 s by themselves. */
const CLIENT_TIMEOUT_MS = 8000;
/** Prefixes that promise that nothing was done (docs/resp.md): clients of Redis repeat such commands. */
const UNWRITTEN = new Set(['CLUSTERDOWN', 'TRYAGAIN', 'OOM']);
const STATUS_OTHER = 400;

/** Requests for keys over RESP, told as what they mean for the history of each key, as DataClient tells them over HTTP. Never rejects. */
export class RespDataClient implements Disposable {
  readonly #idle = new Map<string, RespConnection[]>();

  async send(target: RespTarget, intent: KeyIntent): Promise<KeyOutcome> {
    return (await this.sendPipeline(target, [intent]))[0] as KeyOutcome;
  }

  /** All at once on one connection. One outcome for each intent, in order. */
  async sendPipeline(target: RespTarget, intents: readonly KeyIntent[]): Promise<readonly KeyOutcome[]> {
    try {
      const replies = await this.#run(target, intents.map(commandOf));
      return intents.map((intent, i) => respOutcome(intent, replies[i] as Plain));
    } catch (error) {
      if (!(error instanceof RespConnectionError)) throw error;
      const { code, message: detail, wasSent } = error;
      return intents.map(() => ({ type: 'refused', status: 0, code, detail, isUnwritten: !wasSent }));
    }
  }

  async #run(target: RespTarget, commands: readonly RespCommand[]): Promise<readonly Plain[]> {
    const signal = AbortSignal.timeout(CLIENT_TIMEOUT_MS);
    const idle = this.#idleAt(target);
    let connection = idle.pop();
    while (connection?.isBroken) connection = idle.pop();
    connection ??= await RespConnection.open(target.host, target.port, signal);
    const replies = await connection.run(commands, signal);
    idle.push(connection);
    return replies;
  }

  #idleAt({ host, port }: RespTarget): RespConnection[] {
    const name = `${host}:${port}`;
    const known = this.#idle.get(name);
    if (known !== undefined) return known;
    const none: RespConnection[] = [];
    this.#idle.set(name, none);
    return none;
  }

  [Symbol.dispose](): void {
    for (const connections of this.#idle.values()) for (const each of connections) each.close();
    this.#idle.clear();
  }
}

function commandOf(intent: KeyIntent): RespCommand {
  switch (intent.type) {
    case 'get':
      return ['GET', intent.key];
    case 'delete':
      return ['DEL', intent.key];
    case 'put':
      return intent.ttlSeconds === undefined
        ? ['SET', intent.key, intent.value]
        : ['SET', intent.key, intent.value, 'EX', String(intent.ttlSeconds)];
  }
}

/** What a reply to the command of `intent` means. A reply that is none to it is refused with a code that nothing explains. */
export function respOutcome({ type }: KeyIntent, reply: Plain): KeyOutcome {
  if (reply instanceof Error) return refusalOf(reply.message);
  if (type === 'get' && (reply === null || typeof reply === 'string'))
    return { type: 'done', value: reply ?? undefined };
  const isDone = type === 'put' ? reply === 'OK' : type === 'delete' && (reply === 0 || reply === 1);
  if (isDone) return { type: 'done', value: undefined };
  return refusalOf(`WRONG_REPLY ${JSON.stringify(reply)} to a ${type}`);
}

/** `PREFIX CODE words`; where the prefix promises nothing, the outcome of a write is not known. */
function refusalOf(message: string): { readonly type: 'refused' } & DataRefusal {
  const { prefix, code, status } = respError(message);
  return { type: 'refused', status, code, detail: message, isUnwritten: UNWRITTEN.has(prefix) };
}

/** An error as HTTP would have told it: with the same code, and its status. One without a code of the store has its prefix for it. */
export function respError(message: string): {
  readonly prefix: string;
  readonly code: string;
  readonly status: number;
} {
  const [prefix = '', code = ''] = message.split(' ', 2);
  if (!isErrorCode(code)) return { prefix, code: prefix, status: STATUS_OTHER };
  return { prefix, code, status: errorEntry(code).status };
}
