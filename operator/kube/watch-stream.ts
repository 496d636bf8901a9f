import type { Clock, Timer } from '../../store/ports/clock.ts';
import { errorOfStatus, KubeError } from './kube-error.ts';
import type { KubeRequest, KubeTransport } from './kube-request.ts';
import type { KubeObject } from './resource.ts';

export type WatchEvent<T> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  /** Nothing of interest happened up to this version. */
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string };

/** Etcd takes no objects above 1.5 MiB; a line that grows further is not an event. */
const LINE_CHARS_MAX = 16 * 1024 * 1024;

type WatchDeps = {
  readonly call: KubeRequest;
  readonly requests: Pick<KubeTransport, 'stream'>;
  readonly clock: Clock;
};

/** The events of one watch request. A connection that is silent for `idleMs` counts as broken: it may be half open. */
export async function* watchEvents<T extends KubeObject>(
  { idleMs }: { readonly idleMs: number },
  { call, requests, clock }: WatchDeps,
  signal: AbortSignal,
): AsyncGenerator<WatchEvent<T>, void, undefined> {
  const what = `watch of ${call.path}`;
  const body = await requests.stream(call, signal);
  let isIdle = false;
  const cut = (): void => void body.destroy(new Error('cut'));
  const startTimer = (): Timer =>
    clock.setTimer(idleMs, () => {
      isIdle = true;
      cut();
    });
  let timer = startTimer();
  // An error of the cut itself is of no interest.
  body.on('error', () => undefined);
  signal.addEventListener('abort', cut);
  if (signal.aborted) cut();
  try {
    body.setEncoding('utf8');
    let text = '';
    for await (const chunk of body) {
      // The time that the consumer takes is not the server's.
      timer.cancel();
      const lines = (text + (chunk as string)).split('\n');
      text = lines.pop() ?? '';
      if (text.length > LINE_CHARS_MAX)
        throw new KubeError(0, 'BadAnswer', `${what}: an event of more than ${LINE_CHARS_MAX} characters`);
      for (const line of lines) if (line !== '') yield parseEvent<T>(line, what);
      timer = startTimer();
    }
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof KubeError) throw cause;
    if (isIdle) throw new KubeError(0, 'Idle', `${what}: silent for ${idleMs} ms`, { cause });
    throw new KubeError(0, 'Unreachable', `${what}: ${(cause as Error).message}`, { cause });
  } finally {
    timer.cancel();
    signal.removeEventListener('abort', cut);
    body.destroy();
  }
}

function parseEvent<T extends KubeObject>(line: string, what: string): WatchEvent<T> {
  const { type, object } = parseLine(line, what);
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      return { type, object: object as T };
    case 'BOOKMARK':
      return { type, resourceVersion: (object as T).metadata.resourceVersion ?? '' };
    case 'ERROR':
      throw errorOfStatus(what, object);
    default:
      throw new KubeError(0, 'BadAnswer', `${what}: an event of type ${type}`);
  }
}

function parseLine(line: string, what: string): { readonly type: string; readonly object: unknown } {
  try {
    return JSON.parse(line) as { readonly type: string; readonly object: unknown };
  } catch (cause) {
    throw new KubeError(0, 'BadAnswer', `${what}: an event that is not JSON: ${line.slice(0, 100)}`, {
      cause,
    });
  }
}
