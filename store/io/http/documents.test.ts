import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { errorTable } from './error-table.ts';
import { defaultHttpOptions } from './http-options.ts';
import { openApiDocument } from './openapi.ts';
import { routes } from './routes.ts';
import { createSchemas } from './schemas.ts';
import { startTestServer } from './test-server.ts';

type Paths = Record<string, Record<string, { responses?: Record<string, unknown> }>>;
const METHODS = ['GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'PATCH', 'OPTIONS'];
const { paths } = openApiDocument(routes, createSchemas(defaultHttpOptions), defaultHttpOptions) as {
  paths: Paths;
};

test('every documented route is served, every other method of it is refused, and every status is documented', async () => {
  await using server = await startTestServer();
  for (const [template, item] of Object.entries(paths)) {
    const path = template
      .replace('{namespace}', 'default')
      .replace('{key}', 'a')
      .replace('{name}', 'default')
      .replace('{id}', 'drain-default');
    for (const method of METHODS) {
      const response = await fetch(server.url + path, { method });
      await response.arrayBuffer();
      const documented = item[method.toLowerCase()];
      assert.equal(
        response.status === 405,
        documented === undefined,
        `${method} ${path}: ${response.status}`,
      );
      if (documented !== undefined)
        assert.ok(String(response.status) in (documented.responses ?? {}), `${method} ${path}`);
    }
  }
});

test('errors.md lists every code with its status, and no other', () => {
  const rows = tableRows('errors.md').map(([code, status, retry]) => [code, Number(status), retry]);
  const expected = Object.entries(errorTable).map(([code, e]) => [
    code,
    e.status,
    e.retryable === 'if unwritten' ? e.retryable : e.retryable ? 'yes' : 'no',
  ]);
  assert.deepEqual(rows, expected);
});

/** The cells of the table rows whose first cell is code. */
function tableRows(page: string): string[][] {
  const text = readFileSync(new URL(`../../../docs/${page}`, import.meta.url), 'utf8');
  const lines = text.split('\n').filter((line) => line.startsWith('| `'));
  return lines.map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('`', '')),
  );
}
