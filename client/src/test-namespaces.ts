import type { Reply, State } from './test-node.ts';

const CREATED_AT = '2026-01-01T00:00:00.000Z';

/** What is asked outside of /v1/kv: namespaces and readiness. */
export function answerOther(state: State, method: string, url: string): Reply {
  if (url === '/readyz') return readyz(state);
  const [, name, confirm] = /^\/v1\/namespaces(?:\/([^?]+))?(?:\?confirm=(.*))?$/.exec(url) ?? [];
  if (name === undefined) return reply(200, { namespaces: [...state.namespaces].map(info) });
  if (method === 'PUT') return create(state, name);
  if (!state.namespaces.has(name)) return reply(404, { code: 'NAMESPACE_NOT_FOUND', detail: name });
  if (method === 'GET') return reply(200, info(name));
  const keys = [...state.keys.keys()].filter((key) => key.startsWith(`${name}/`));
  if (keys.length > 0 && confirm !== name) return reply(409, { code: 'NAMESPACE_NOT_EMPTY', detail: name });
  for (const key of keys) state.keys.delete(key);
  state.namespaces.delete(name);
  return reply(204, undefined);
}

function create(state: State, name: string): Reply {
  const status = state.namespaces.has(name) ? 200 : 201;
  state.namespaces.add(name);
  return reply(status, info(name));
}

function readyz(state: State): Reply {
  const checks = [{ name: 'storage', ok: state.ready, reason: state.ready ? null : 'disk full' }];
  return reply(state.ready ? 200 : 503, { status: state.ready ? 'ready' : 'not-ready', checks });
}

function info(name: string): Record<string, string> {
  return { name, consistency: 'quorum', createdAt: CREATED_AT };
}

function reply(status: number, json: unknown): Reply {
  const body = Buffer.from(json === undefined ? '' : JSON.stringify(json));
  return { status, headers: { 'content-type': 'application/json' }, body };
}
