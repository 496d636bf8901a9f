import type { IncomingMessage } from 'node:http';

/** A key as `namespace/hex of the key`: hex sorts as the bytes do. */
export type State = {
  readonly keys: Map<string, Stored>;
  readonly namespaces: Set<string>;
  writes: number;
  /** Versions that each key was given. */
  readonly history: Map<string, string[]>;
  /** Operations of a batch on these keys are refused once. */
  readonly busy: Set<string>;
  /** Gets of a batch on these keys are cut off. */
  readonly tooLarge: Set<string>;
  ready: boolean;
};

export function emptyState(): State {
  const sets = { namespaces: new Set(['default']), busy: new Set<string>(), tooLarge: new Set<string>() };
  return { ...sets, keys: new Map(), writes: 0, history: new Map(), ready: true };
}

type Stored = {
  value: Buffer;
  version: string;
  contentType: string | undefined;
  expiresAt: string | undefined;
};
export type Reply = { status: number; headers: Record<string, string>; body: Buffer };

export function answerKey(
  state: State,
  request: IncomingMessage,
  namespace: string,
  rawKey: string,
  query: URLSearchParams,
  body: Buffer,
): Reply {
  if (!state.namespaces.has(namespace)) return problem(404, 'NAMESPACE_NOT_FOUND');
  const name = `${namespace}/${hexOfPath(rawKey)}`;
  if (request.method === 'PUT')
    return write(state, name, body, request.headers['content-type'], query.get('ttl'));
  if (request.method === 'DELETE') return remove(state, name);
  const stored = state.keys.get(name);
  if (stored === undefined) return problem(404, 'KEY_NOT_FOUND');
  const headers = {
    ...writeHeaders(stored),
    'content-type': stored.contentType ?? 'application/octet-stream',
  };
  return {
    status: 200,
    headers: { ...headers, 'content-length': String(stored.value.length) },
    body: stored.value,
  };
}

export function answerBatch(state: State, namespace: string, body: Buffer): Reply {
  const results = JSON.parse(body.toString()).operations.map((operation: Record<string, string>) => {
    const name = `${namespace}/${bytes(operation, 'key').toString('hex')}`;
    if (state.busy.delete(operation.key ?? ''))
      return { status: 503, code: 'OVERLOADED', detail: 'busy', retryable: true };
    if (operation.op === 'get' && state.tooLarge.has(operation.key ?? ''))
      return { status: 413, code: 'BATCH_TOO_LARGE', detail: 'too much', retryable: false };
    if (operation.op === 'put' && operation.key === 'refused') {
      return { status: 507, code: 'STORAGE_FULL', detail: 'full', retryable: false };
    }
    if (operation.op === 'put') write(state, name, bytes(operation, 'value'), operation.contentType, null);
    else if (operation.op === 'delete')
      return { status: 204, version: remove(state, name).headers.etag!.slice(1, -1) };
    const stored = state.keys.get(name);
    if (stored === undefined) return { status: 404, code: 'KEY_NOT_FOUND' };
    const { version, contentType, expiresAt } = stored;
    return operation.op === 'put'
      ? { status: 204, version, expiresAt }
      : { status: 200, version, ...json('value', stored.value), contentType, expiresAt };
  });
  return ok(JSON.stringify({ results }));
}

/** The cursor is the last key of the page, in hex. */
export function answerScan(
  state: State,
  namespace: string,
  query: URLSearchParams,
  isStream: boolean,
): Reply {
  const limit = Number(query.get('limit') ?? (isStream ? Number.POSITIVE_INFINITY : 100));
  if (!isStream && limit > 1000) return problem(400, 'LIMIT_TOO_LARGE');
  const after = query.get('cursor') ?? '';
  const prefix = `${namespace}/${Buffer.from(query.get('prefix') ?? '').toString('hex')}`;
  const names = [...state.keys.keys()].filter((name) => name.startsWith(prefix)).sort();
  const rest = names.map((name) => name.slice(namespace.length + 1)).filter((hex) => hex > after);
  const page = rest.slice(0, limit);
  const entries = page.map((hex) =>
    entry(hex, state.keys.get(`${namespace}/${hex}`)!, query.get('values') !== 'false'),
  );
  if (isStream) return ok(entries.map((item) => `${JSON.stringify(item)}\n`).join(''));
  return ok(JSON.stringify({ entries, cursor: page.length < rest.length ? page.at(-1) : null }));
}

function entry(hex: string, stored: Stored, withValue: boolean): Record<string, unknown> {
  const { version, contentType, expiresAt } = stored;
  const value = withValue ? json('value', stored.value) : {};
  return { ...json('key', Buffer.from(hex, 'hex')), version, ...value, contentType, expiresAt };
}

function write(state: State, name: string, value: Buffer, contentType?: string, ttl?: string | null): Reply {
  const expiresAt = ttl == null ? undefined : new Date(Date.now() + Number(ttl) * 1000).toISOString();
  const stored = { value, version: nextVersion(state), contentType, expiresAt };
  state.keys.set(name, stored);
  state.history.set(name, [...(state.history.get(name) ?? []), stored.version]);
  return { status: 204, headers: writeHeaders(stored), body: Buffer.alloc(0) };
}

function remove(state: State, name: string): Reply {
  state.keys.delete(name);
  return { status: 204, headers: { etag: `"${nextVersion(state)}"` }, body: Buffer.alloc(0) };
}

function nextVersion(state: State): string {
  state.writes += 1;
  return `019aa1b2c3d4-${state.writes.toString(16).padStart(4, '0')}-1`;
}

function writeHeaders({ version, expiresAt }: Stored): Record<string, string> {
  return { etag: `"${version}"`, ...(expiresAt !== undefined && { 'kvorum-expires-at': expiresAt }) };
}

function ok(text: string): Reply {
  return { status: 200, headers: { 'content-type': 'application/json' }, body: Buffer.from(text) };
}

function problem(status: number, code: string): Reply {
  const body = Buffer.from(JSON.stringify({ status, code, detail: code, retryable: false }));
  return { status, headers: { 'content-type': 'application/problem+json' }, body };
}

/** The bytes of a path in hex. */
function hexOfPath(path: string): string {
  const binary = path.replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(binary, 'latin1').toString('hex');
}

function bytes(json: Record<string, string>, name: string): Buffer {
  const text = json[name];
  return text === undefined ? Buffer.from(json[`${name}Base64`]!, 'base64') : Buffer.from(text);
}

function json(name: string, value: Buffer): Record<string, string> {
  const text = value.toString();
  return Buffer.from(text).equals(value) ? { [name]: text } : { [`${name}Base64`]: value.toString('base64') };
}
