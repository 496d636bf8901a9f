import { Agent, request } from 'undici';

/** What one key was asked for. Values are unique, so that a read names its put. */
export type KeyIntent =
  | { readonly type: 'get'; readonly key: string }
  | { readonly type: 'delete'; readonly key: string }
  | { readonly type: 'put'; readonly key: string; readonly value: string; readonly ttlSeconds?: number };

/** A refusal with its problem document, or the way in which a connection ended (status 0, a code of its own). */
export type DataRefusal = {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  /** Whether a write is known not to have been done. */
  readonly isUnwritten: boolean;
};

/** What came of an intent; `value` undefined where nothing was found, and for writes. */
export type KeyOutcome =
  | { readonly type: 'done'; readonly value: string | undefined }
  | ({ readonly type: 'refused' } & DataRefusal);

export type ScanOutcome =
  | { readonly type: 'page'; readonly values: ReadonlyMap<string, string>; readonly isWhole: boolean }
  | ({ readonly type: 'refused' } & DataRefusal);

/** What a node is given for a request, and after which one that says nothing is given up: a node that runs answers before. */
const NODE_TIMEOUT_MS = 5000;
const CLIENT_TIMEOUT_MS = 8000;
/** Codes of a node that has nothing to serve yet. */
const NOTHING_DONE = new Set(['CLUSTER_WAITING', 'CLUSTER_FORMING']);
const NAMESPACE = '/v1/kv/default';

type Problem = { readonly code?: string; readonly detail?: string; readonly outcome?: string };
type Answer = { readonly status: number; readonly text: string };
type BatchResult = Problem & { readonly status: number; readonly value?: string };
type Page = {
  readonly entries: readonly { readonly key: string; readonly value: string }[];
  readonly cursor: string | null;
};

/** Requests for keys over HTTP, told as what they mean for the history of each key. Never rejects. */
export class DataClient implements AsyncDisposable {
  readonly #agent = new Agent({ connections: 64 });

  async send(url: string, intent: KeyIntent): Promise<KeyOutcome> {
    const answer = await this.#request(`${url}${pathOf(intent)}`, METHODS[intent.type], bodyOf(intent));
    return 'type' in answer ? answer : outcomeOf(answer.status, answer.text, intent);
  }

  /** One outcome for each intent, in order. */
  async sendBatch(url: string, intents: readonly KeyIntent[]): Promise<readonly KeyOutcome[]> {
    const operations = intents.map(({ type, ...rest }) => ({ op: type, ...rest }));
    const answer = await this.#request(
      `${url}${NAMESPACE}:batch?timeoutMs=${NODE_TIMEOUT_MS}`,
      'POST',
      JSON.stringify({ operations }),
    );
    if ('type' in answer) return intents.map(() => answer);
    if (answer.status !== 200) return intents.map(() => refusalOf(answer.status, parse(answer.text)));
    const { results } = JSON.parse(answer.text) as { results: readonly BatchResult[] };
    return intents.map((intent, i) => {
      const { status, value, ...problem } = results[i] as BatchResult;
      return isDone(status, problem, intent) ? { type: 'done', value } : refusalOf(status, problem);
    });
  }

  /** All keys with the prefix; `isWhole` false where the page ended before. */
  async scan(url: string, prefix: string): Promise<ScanOutcome> {
    const query = new URLSearchParams({ prefix, limit: '1000', timeoutMs: String(NODE_TIMEOUT_MS) });
    const answer = await this.#request(`${url}${NAMESPACE}?${query}`, 'GET', null);
    if ('type' in answer) return answer;
    if (answer.status !== 200) return refusalOf(answer.status, parse(answer.text));
    const { entries, cursor } = JSON.parse(answer.text) as Page;
    const values = new Map(entries.map(({ key, value }) => [key, value]));
    return { type: 'page', values, isWhole: cursor === null };
  }

  async #request(
    url: string,
    method: 'GET' | 'PUT' | 'DELETE' | 'POST',
    body: string | null,
  ): Promise<Answer | ({ readonly type: 'refused' } & DataRefusal)> {
    try {
      const signal = AbortSignal.timeout(CLIENT_TIMEOUT_MS);
      const answer = await request(url, { method, body, dispatcher: this.#agent, signal });
      return { status: answer.statusCode, text: await answer.body.text() };
    } catch (error) {
      const { code, message, name } = error as NodeJS.ErrnoException;
      const isUnwritten = code === 'ECONNREFUSED';
      // An abort has a number for a code.
      return {
        type: 'refused',
        status: 0,
        code: typeof code === 'string' ? code : name,
        detail: message,
        isUnwritten,
      };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy();
  }
}

const METHODS = { get: 'GET', put: 'PUT', delete: 'DELETE' } as const;

function pathOf(intent: KeyIntent): string {
  const ttl = intent.type === 'put' && intent.ttlSeconds !== undefined ? `&ttl=${intent.ttlSeconds}` : '';
  return `${NAMESPACE}/${encodeURIComponent(intent.key)}?timeoutMs=${NODE_TIMEOUT_MS}${ttl}`;
}

function bodyOf(intent: KeyIntent): string | null {
  return intent.type === 'put' ? intent.value : null;
}

function outcomeOf(status: number, text: string, intent: KeyIntent): KeyOutcome {
  const problem = status >= 400 ? parse(text) : {};
  if (!isDone(status, problem, intent)) return refusalOf(status, problem);
  return { type: 'done', value: status === 200 ? text : undefined };
}

function isDone(status: number, { code }: Problem, { type }: KeyIntent): boolean {
  if (type !== 'get') return status === 204;
  return status === 200 || (status === 404 && code === 'KEY_NOT_FOUND');
}

function refusalOf(status: number, problem: Problem): { readonly type: 'refused' } & DataRefusal {
  return {
    type: 'refused',
    status,
    code: problem.code ?? 'no code',
    detail: problem.detail ?? JSON.stringify(problem),
    isUnwritten: problem.outcome === 'unwritten' || NOTHING_DONE.has(problem.code ?? ''),
  };
}

function parse(text: string): Problem {
  try {
    return JSON.parse(text) as Problem;
  } catch {
    return { detail: text.slice(0, 200) };
  }
}
