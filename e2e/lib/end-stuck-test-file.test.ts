import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { TestDirectory } from './test-directory.ts';

const GUARD = new URL('./end-stuck-test-file.ts', import.meta.url).pathname;

/** Runs a file of tests as `./dev.sh test` does, with a second to end in. */
function runFile(path: string, source: string): { readonly status: number | null; readonly said: string } {
  writeFileSync(path, source);
  const { NODE_TEST_CONTEXT: _, ...environment } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', GUARD, '--test', path], {
    encoding: 'utf8',
    env: { ...environment, TEST_FILE_SECONDS_MAX: '1' },
  });
  return { status, said: stdout + stderr };
}

test('a file of tests that does not end is ended, and says what kept it', () => {
  using directory = new TestDirectory();
  const path = `${directory.path}/stuck.test.mjs`;
  const { status, said } = runFile(
    path,
    "import { createServer } from 'node:net';\nimport { test } from 'node:test';\ntest('passes', () => { createServer().listen(0); });\n",
  );
  assert.equal(status, 1);
  assert.match(said, /stuck\.test\.mjs is not over after 1 s; what is open: .*TCPServerWrap/);
});

test('one that ends by itself is let be', () => {
  using directory = new TestDirectory();
  const path = `${directory.path}/plain.test.mjs`;
  const { status, said } = runFile(path, "import { test } from 'node:test';\ntest('passes', () => {});\n");
  assert.equal(status, 0);
  assert.doesNotMatch(said, /not over/);
});
