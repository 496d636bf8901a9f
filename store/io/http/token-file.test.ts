import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { digestOf, openTokens, parseTokens } from './token-file.ts';

const directory = mkdtempSync(join(tmpdir(), 'kvorum-tokens-'));
after(() => rmSync(directory, { recursive: true }));
const SECRET = 'a-secret-of-20-chars';

test('parseTokens: a token by itself or by its sha256, each with its name and role', () => {
  const sha256 = createHash('sha256').update('another-secret-20-ch').digest('hex');
  const table = parseTokens(`
tokens:
  - {name: app, role: write, token: ${SECRET}}
  - name: ops
    role: admin
    sha256: ${sha256.toUpperCase()}
  - {name: app, role: write, token: "the-next-one-of-app=="}
`);
  assert.equal(table.size, 3);
  assert.deepEqual(table.get(digestOf(SECRET)), { name: 'app', role: 'write' });
  assert.deepEqual(table.get(digestOf('another-secret-20-ch')), { name: 'ops', role: 'admin' });
  assert.deepEqual(table.get(digestOf('the-next-one-of-app==')), { name: 'app', role: 'write' });
  assert.equal(table.get(digestOf('the-next-one-of-app')), undefined);
});

test('parseTokens says what is wrong, where and what is allowed, and never a token', () => {
  const cases: readonly (readonly [text: string, message: RegExp])[] = [
    ['', /expected object.*a mapping with the list `tokens`/],
    [SECRET, /a mapping with the list `tokens`/],
    ['tokens: []', /^tokens: at least one token/],
    [`tokens:\n  - {name: a, role: owner, token: ${SECRET}}`, /^tokens\[0\]\.role: .*metrics.*admin/],
    [`tokens:\n  - {name: a, role: read}`, /^tokens\[0\]: exactly one of token and sha256/],
    [`tokens:\n  - {name: a, role: read, token: short}`, /^tokens\[0\]\.token: at least 16 characters/],
    [`tokens:\n  - {name: a, role: read, token: "${SECRET} x"}`, /^tokens\[0\]\.token: letters, digits/],
    ['tokens:\n  - {name: a, role: read, token: 1234567890123456789}', /put it in quotes/],
    ['tokens:\n  - {name: a, role: read, sha256: 0abc}', /^tokens\[0\]\.sha256: 64 hexadecimal digits/],
    [`tokens:\n  - {name: "a b", role: read, token: ${SECRET}}`, /^tokens\[0\]\.name: 1 to 63 letters/],
    [
      `tokens:\n  - {name: a, role: read, token: ${SECRET}, rol: x}`,
      /^tokens\[0\]: a field that is not known; a mapping/,
    ],
    [`tokens:\n  - ${SECRET}: admin`, /tokens\[0\]: a field that is not known/],
    [
      `tokens:\n  - {name: a, role: read, token: ${SECRET}}\n  - {name: b, role: admin, token: ${SECRET}}`,
      /^tokens\[1\] \(b\) is the same token as that of a/,
    ],
    [`tokens:\n  - {name: a, role: read, token: ${SECRET}\nother: [`, /^not YAML, line \d/],
  ];
  for (const [text, message] of cases) {
    assert.throws(
      () => parseTokens(text),
      (error: Error) => message.test(error.message) && !error.message.includes(SECRET),
      `${text}: ${message}`,
    );
  }
});

test('openTokens: a file that is replaced is read; a wrong or missing one leaves the tokens as they are and says so once', async () => {
  const file = join(directory, 'tokens.yaml');
  const write = (text: string): void => {
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
  };
  await assert.rejects(
    openTokens(file, assert.fail),
    /http\.tokensFile .*tokens\.yaml cannot be used: ENOENT/,
  );
  write(`tokens:\n  - {name: a, role: read, token: ${SECRET}}`);
  const errors: string[] = [];
  const tokens = await openTokens(file, (message) => errors.push(message));
  const sizes: number[] = [];
  tokens.onChange(({ size }) => sizes.push(size));
  await tokens.look();
  write('tokens: nothing');
  await tokens.look();
  await tokens.look();
  assert.deepEqual([errors.length, tokens.isStale, tokens.value.size], [1, true, 1]);
  assert.match(errors[0] as string, /tokens\.yaml cannot be used: tokens: /);
  rmSync(file);
  await tokens.look();
  assert.deepEqual([errors.length, tokens.isStale, tokens.value.size], [2, true, 1]);
  write(
    'tokens:\n  - {name: b, role: admin, token: of-another-16-chars}\n  - {name: a, role: read, token: the-new-one-of-a16}',
  );
  await tokens.look();
  assert.deepEqual([tokens.isStale, sizes, errors.length], [false, [2], 2]);
  assert.equal(tokens.value.get(digestOf(SECRET)), undefined);
});
