import type { RequestOptions } from '../../storage/kv-store.ts';
import type { Exchange } from './exchange.ts';
import { HttpProblem } from './problem.ts';

const IDEMPOTENCY_KEY_CHARACTERS_MAX = 128;
const PRINTABLE_ASCII = /^[\x20-\x7e]+$/;

/** The query parameters that become options of a request. */
export type AskedLevels = Pick<RequestOptions, 'r' | 'w' | 'timeoutMs'>;

/** What a read asks for beside its key; undefined where that is nothing, as it mostly is. */
export function readOptions(exchange: Exchange, levels: AskedLevels | undefined): RequestOptions | undefined {
  const asked = exchange.req.headers['kvorum-replicas'];
  if (levels === undefined && asked === undefined) return undefined;
  return { ...levels, onReplicas: asked === undefined ? undefined : replicasTeller(exchange, asked) };
}

/** The same of a write. */
export function writeOptions(
  exchange: Exchange,
  levels: AskedLevels | undefined,
): RequestOptions | undefined {
  const { headers } = exchange.req;
  if (headers['idempotency-key'] === undefined) return readOptions(exchange, levels);
  return { ...readOptions(exchange, levels), idempotencyKey: idempotencyKeyOf(exchange) };
}

export function idempotencyKeyOf({ req }: Exchange): string | undefined {
  const key = req.headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (typeof key === 'string' && key.length <= IDEMPOTENCY_KEY_CHARACTERS_MAX && PRINTABLE_ASCII.test(key))
    return key;
  const detail = `Idempotency-Key is 1..${IDEMPOTENCY_KEY_CHARACTERS_MAX} printable ASCII characters.`;
  throw new HttpProblem('BAD_HEADER', detail, { header: 'Idempotency-Key' });
}

/** Puts what the replicas said into the head of whatever answer follows, a refusal included. */
function replicasTeller({ res }: Exchange, asked: string | string[]): RequestOptions['onReplicas'] {
  if (asked !== 'true') {
    throw new HttpProblem('BAD_HEADER', 'Kvorum-Replicas is "true", or absent.', {
      header: 'Kvorum-Replicas',
    });
  }
  return (replicas) => {
    if (res.headersSent) return;
    res.setHeader('Kvorum-Replicas', replicas.map(({ name, said }) => `${name}=${said}`).join(', '));
  };
}
