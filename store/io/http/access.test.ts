import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type NeededRole, ROLES, type Role } from './role.ts';
import { routes } from './routes.ts';
import { startTestServer, type TestServer } from './test-server.ts';
import { parseTokens, type TokenTable } from './token-file.ts';

const tokenOf = (role: string): string => `token-of-${role}-0123456789`;
const table = parseTokens(
  `tokens:\n${ROLES.map((role) => `  - {name: n-${role}, role: ${role}, token: ${tokenOf(role)}}\n`).join('')}`,
);
const bearer = (role: string) => ({ authorization: `Bearer ${tokenOf(role)}` });
const start = (tokens: TokenTable = table): Promise<TestServer> =>
  startTestServer({}, { tokens: { value: tokens } });

/**
 * What each request takes, written down a second time: a route that is added to the interface, or that comes to take less, is one that
 * is missing or different here.
 */
const NEEDED: Readonly<Record<string, NeededRole>> = {
  'GET /v1/kv/{namespace}/{key}': 'read',
  'HEAD /v1/kv/{namespace}/{key}': 'read',
  'PUT /v1/kv/{namespace}/{key}': 'write',
  'DELETE /v1/kv/{namespace}/{key}': 'write',
  'POST /v1/kv/{namespace}:batch': 'read',
  'GET /v1/kv/{namespace}': 'read',
  'GET /v1/namespaces': 'read',
  'GET /v1/namespaces/{name}': 'read',
  'PUT /v1/namespaces/{name}': 'admin',
  'DELETE /v1/namespaces/{name}': 'admin',
  'POST /v1/members/{name}:drain': 'admin',
  'GET /v1/operations': 'read',
  'POST /v1/operations': 'admin',
  'POST /v1/operations/{id}:cancel': 'admin',
  'GET /v1/operations/{id}:watch': 'read',
  'GET /v1/operations/{id}': 'read',
  'GET /v1/nodes/{name}/can-stop': 'read',
  'POST /v1/nodes/{name}:stop': 'admin',
  'GET /v1/cluster': 'read',
  'POST /v1/cluster:bootstrap': 'admin',
  'POST /v1/cluster:transfer-leadership': 'admin',
  'GET /v1/members': 'read',
  'POST /v1/members/{name}:remove': 'admin',
  'PATCH /v1/members/{name}': 'admin',
  'GET /v1/topology': 'read',
  'GET /v1/ring': 'read',
  'GET /v1/locate/{key}': 'read',
  'GET /v1/explain/{namespace}/{key}': 'read',
  'POST /v1/verify': 'admin',
  'GET /v1/local/{namespace}': 'read',
  'GET /v1/repair': 'read',
  'GET /livez': 'none',
  'GET /readyz': 'none',
  'GET /metrics': 'metrics',
  'GET /v1/status': 'read',
  'GET /v1/config': 'read',
  'GET /v1/openapi.json': 'metrics',
};

/** Of a path that may be asked with any token: what is behind its door is other tests' matter. */
const pathOf = (template: string): string =>
  template
    .replace('{namespace}', 'default')
    .replace('{key}', 'a')
    .replace('{name}', 'nobody')
    .replace('can-stop', 'can-stop?look=true')
    .replace('{id}', 'drain-nobody');

type Access = 'in' | 'forbidden' | 'unauthenticated';

async function tried(url: string, method: string, headers: Record<string, string>): Promise<Access> {
  const answer = await fetch(url, { method, headers });
  await answer.arrayBuffer();
  if (answer.status === 401) return 'unauthenticated';
  const isForbidden = answer.status === 403 && answer.headers.get('www-authenticate') !== null;
  return isForbidden ? 'forbidden' : 'in';
}

function expected(needed: NeededRole, role: Role | undefined): Access {
  if (needed === 'none') return 'in';
  if (role === undefined) return 'unauthenticated';
  return ROLES.indexOf(role) >= ROLES.indexOf(needed) ? 'in' : 'forbidden';
}

test('each request of the OpenAPI document with each role, and without a token: in, or refused', async () => {
  await using server = await start();
  const seen: string[] = [];
  const document = (await (
    await fetch(`${server.url}/v1/openapi.json`, { headers: bearer('metrics') })
  ).json()) as {
    security: unknown;
    paths: Record<string, Record<string, { 'x-kvorum-role'?: string; responses?: Record<string, unknown> }>>;
  };
  assert.deepEqual(document.security, [{ token: [] }]);
  for (const [template, item] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(item)) {
      if (operation.responses === undefined) continue;
      const name = `${method.toUpperCase()} ${template}`;
      seen.push(name);
      const needed = NEEDED[name] ?? assert.fail(`${name} is not in the table of this test`);
      assert.equal(operation['x-kvorum-role'] ?? 'none', needed, name);
      assert.equal('401' in operation.responses, needed !== 'none', name);
      for (const role of [undefined, ...ROLES]) {
        const headers: Record<string, string> = role === undefined ? {} : bearer(role);
        const access = await tried(server.url + pathOf(template), method.toUpperCase(), headers);
        assert.equal(access, expected(needed, role), `${name} with ${role}`);
      }
    }
  }
  assert.deepEqual(seen.toSorted(), Object.keys(NEEDED).toSorted());
  assert.equal(routes.flatMap(({ operations }) => Object.keys(operations)).length, seen.length);
});

test('a batch that only reads takes the role read, one that writes the role write; nothing of it is done otherwise', async () => {
  await using server = await start();
  const batch = async (role: string, operations: readonly object[]): Promise<number> => {
    const answer = await fetch(`${server.url}/v1/kv/default:batch`, {
      method: 'POST',
      headers: bearer(role),
      body: JSON.stringify({ operations }),
    });
    await answer.arrayBuffer();
    return answer.status;
  };
  const get = { op: 'get', key: 'a' };
  const put = { op: 'put', key: 'a', value: '1' };
  assert.deepEqual(
    [await batch('metrics', [get]), await batch('read', [get]), await batch('read', [get, put])],
    [403, 200, 403],
  );
  assert.equal(await batch('read', [{ op: 'delete', key: 'a' }]), 403);
  const read = await fetch(`${server.url}/v1/kv/default/a`, { headers: bearer('read') });
  assert.equal(read.status, 404);
  assert.deepEqual([await batch('write', [get, put]), await batch('admin', [put])], [200, 200]);
});

test('an operation names the token of whoever asked, where the request does not say who', async () => {
  await using server = await start();
  for (const name of ['node-2', 'node-3', 'node-4']) server.cluster.addMember(name);
  const drain = await fetch(`${server.url}/v1/members/node-2:drain`, {
    method: 'POST',
    headers: bearer('admin'),
  });
  assert.equal(drain.status, 200);
  const list = await fetch(`${server.url}/v1/operations`, { headers: bearer('read') });
  const { operations } = (await list.json()) as { operations: readonly { by: string }[] };
  assert.deepEqual(
    operations.map(({ by }) => by),
    ['n-admin'],
  );
});

test('can-stop takes the role admin where its yes is kept from others, and read where it only looks', async () => {
  await using server = await start();
  const ask = async (role: string, query: string): Promise<number> => {
    const answer = await fetch(`${server.url}/v1/nodes/node-1/can-stop${query}`, { headers: bearer(role) });
    await answer.arrayBuffer();
    return answer.status;
  };
  assert.deepEqual(
    [
      await ask('write', ''),
      await ask('read', '?look=false'),
      await ask('read', '?look=true'),
      await ask('admin', ''),
    ],
    [403, 403, 200, 200],
  );
});

test('refusals say what is missing, in the document, the header and the counter', async () => {
  await using server = await start();
  const ask = (headers: Record<string, string>) =>
    fetch(`${server.url}/v1/kv/default/a`, { method: 'PUT', body: 'x', headers });
  const cases = [
    [{}, 401, 'UNAUTHENTICATED', 'Bearer realm="kvorum"'],
    [{ authorization: 'Basic YTpi' }, 401, 'UNAUTHENTICATED', 'Bearer realm="kvorum", error="invalid_token"'],
    [{ authorization: 'Bearer' }, 401, 'UNAUTHENTICATED', 'Bearer realm="kvorum", error="invalid_token"'],
    [
      { authorization: 'Bearer no-such-token' },
      401,
      'UNAUTHENTICATED',
      'Bearer realm="kvorum", error="invalid_token"',
    ],
    [bearer('read'), 403, 'FORBIDDEN', 'Bearer realm="kvorum", error="insufficient_scope", scope="write"'],
  ] as const;
  for (const [headers, status, code, challenge] of cases) {
    const answer = await ask(headers);
    const problem = (await answer.json()) as Record<string, unknown>;
    assert.deepEqual(
      [answer.status, problem.code, problem.needed, problem.retryable],
      [status, code, 'write', false],
    );
    assert.equal(answer.headers.get('www-authenticate'), challenge);
  }
  for (const scheme of ['bearer', 'BEARER', 'Bearer  '])
    assert.equal((await ask({ authorization: `${scheme} ${tokenOf('write')}` })).status, 204);
  const page = await (await fetch(`${server.url}/metrics`, { headers: bearer('metrics') })).text();
  const counts = page.matchAll(/^kvorum_http_auth_refused_total\{reason="(\w+)"\} (\d+)$/gm);
  assert.deepEqual(Object.fromEntries(Array.from(counts, ([, reason, count]) => [reason, count])), {
    missing: '1',
    malformed: '2',
    unknown: '1',
    role: '1',
  });
});

test('a refused upload is answered, and what it brought is not stored', async () => {
  await using server = await start();
  const body = Buffer.alloc(4 << 20, 'x');
  const answer = await fetch(`${server.url}/v1/kv/default/big`, {
    method: 'PUT',
    body,
    headers: bearer('read'),
  });
  assert.equal(answer.status, 403);
  const read = await fetch(`${server.url}/v1/kv/default/big`, { headers: bearer('read') });
  assert.equal(read.status, 404);
});

test('who tries tokens fills no log: one line a second, with the number of those before it', async () => {
  const lines: { readonly unlogged?: number; readonly reason?: string }[] = [];
  await using server = await startTestServer(
    {},
    { tokens: { value: table }, warn: (fields) => lines.push(fields) },
  );
  for (let i = 0; i < 50; i++) await tried(`${server.url}/v1/status`, 'GET', {});
  assert.ok(lines.length >= 1 && lines.length < 10, `${lines.length} lines`);
  assert.deepEqual([lines[0]?.reason, lines[0]?.unlogged], ['missing', 0]);
});
