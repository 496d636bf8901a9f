/** What came of a request to a node. `unknown`: no answer, or one that says that the outcome is not known. */
export type AdminAnswer<T = Record<string, unknown>> =
  | { readonly type: 'ok'; readonly status: number; readonly body: T }
  | {
      readonly type: 'refused';
      readonly status: number;
      readonly code: string;
      readonly detail: string;
    }
  | { readonly type: 'unknown'; readonly detail: string };

export type AdminRequest = {
  readonly method?: string;
  readonly body?: unknown;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
};

const TIMEOUT_MS = 15_000;

export async function adminRequest<T = Record<string, unknown>>(
  url: string,
  request: AdminRequest = {},
): Promise<AdminAnswer<T>> {
  try {
    const answer = await fetch(url, initOf(request));
    const text = await answer.text();
    const body = (text === '' ? {} : JSON.parse(text)) as T & Problem;
    if (answer.ok || answer.status === 304) return { type: 'ok', status: answer.status, body };
    const detail = `${answer.status} ${body.code}: ${body.detail}`;
    if (body.code === 'OUTCOME_UNKNOWN') return { type: 'unknown', detail };
    return { type: 'refused', status: answer.status, code: body.code ?? '', detail };
  } catch (error) {
    return answerOf(error as Error);
  }
}

/** Where nobody listens nothing was done; any other end of a connection leaves the outcome open. */
function answerOf({ message, cause }: Error): AdminAnswer<never> {
  if (!(cause instanceof Error)) return { type: 'unknown', detail: message };
  const detail = `${message}: ${cause.message}`;
  const { code } = cause as NodeJS.ErrnoException;
  return code === 'ECONNREFUSED' ? { type: 'refused', status: 0, code, detail } : { type: 'unknown', detail };
}

type Problem = { readonly code?: string; readonly detail?: string };

function initOf({ method, body, timeoutMs, signal }: AdminRequest): RequestInit {
  const timeout = AbortSignal.timeout(timeoutMs ?? TIMEOUT_MS);
  return {
    method: method ?? 'GET',
    signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  };
}
