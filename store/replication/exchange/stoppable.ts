import type { DataPeers, ReplicaClient } from '../types.ts';

type Ways = { readonly client: ReplicaClient; readonly peers: DataPeers };

/** The ways to other members, on which nobody waits any more once `signal` is aborted. */
export function stoppable({ client, peers }: Ways, signal: AbortSignal): Ways {
  const stopping = { type: 'unreachable', code: 'STOPPING' } as const;
  return {
    client: { ask: (request, options) => unlessAborted(client.ask(request, options), signal, stopping) },
    peers: {
      request: (request, options) => unlessAborted(peers.request(request, options), signal, stopping),
    },
  };
}

async function unlessAborted<Result>(
  promise: Promise<Result>,
  signal: AbortSignal,
  instead: Result,
): Promise<Result> {
  if (signal.aborted) return instead;
  let onAbort = (): void => {};
  const aborted = new Promise<Result>((resolve) => {
    onAbort = () => resolve(instead);
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
