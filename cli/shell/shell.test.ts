import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { after, before, test } from 'node:test';
import { KvorumClient } from '@kvorum/client';
import { runCli } from '../../e2e/lib/run-cli.ts';
import { freePort, ServerProcess } from '../../e2e/lib/server-process.ts';
import { completeLine } from './complete-line.ts';
import { splitWords } from './split-words.ts';

const directory = mkdtempSync(`${tmpdir()}/kvorum-shell-`);
let server: ServerProcess;
before(async () => {
  server = await ServerProcess.start({
    directory,
    port: await freePort(),
    settings: { 'storage.engine': 'memory' },
  });
});
after(async () => {
  await server.kill();
  rmSync(directory, { recursive: true, force: true });
});

function kvorum(args: readonly string[], input = '') {
  return runCli(server.url, args, input);
}

test('splitWords keeps what is quoted or escaped together', () => {
  assert.deepEqual(splitWords('set  key "two words" 10'), ['set', 'key', 'two words', '10']);
  assert.deepEqual(splitWords(`set 'a "b"' a\\ b "\\"q\\"" ''`), ['set', 'a "b"', 'a b', '"q"', '']);
  assert.deepEqual(splitWords('   '), []);
  assert.throws(() => splitWords('get "open'), /quote " is not closed/);
});

test('a session through a pipe runs every line, and ends with the code of its last failure', () => {
  const lines = [
    '# a comment',
    '',
    'set greeting "hello world"',
    'get greeting',
    'scan gre',
    'delete greeting',
    'get greeting',
    'namespaces',
    'nonsense',
    'set a 1 0',
  ];
  const { stdout, stderr, status } = kvorum(['shell'], lines.join('\n'));
  assert.match(stdout, /^hello world$/m);
  assert.match(stdout, /^greeting\thello world$/m);
  assert.match(stdout, /^default$/m);
  assert.match(stderr, /there is no key 'greeting' in default/);
  assert.match(stderr, /there is no command 'nonsense'; help lists them/);
  assert.match(stderr, /time to live, in seconds, is a whole number from 1 up, not '0'/);
  assert.equal(status, 2);
  assert.equal(
    kvorum(['shell'], 'get nothing\nset a 1\nexit\nget nothing').status,
    1,
    'nothing runs after exit',
  );
});

test('completeLine offers commands, then keys or namespaces', async () => {
  await using client = new KvorumClient({ url: server.url });
  for (const key of ['town/a', 'town/b', 'with space', 'other']) await client.put('default', key, 'x');
  const options = {
    client,
    url: server.url,
    namespace: 'default',
    output: 'text',
    timeout: 1000,
    color: false,
    keyFormat: 'text',
  } as const;
  const state = { session: options, namespace: 'default', isDone: false };
  assert.deepEqual(await completeLine(state, 's'), [['set', 'scan', 'status'], 's']);
  assert.deepEqual(await completeLine(state, 'get town/'), [['town/a', 'town/b'], 'town/']);
  assert.deepEqual((await completeLine(state, 'get w'))[0], [], 'what needs quotes is not offered');
  assert.deepEqual(await completeLine(state, 'use d'), [['default'], 'd']);
});

test('bench puts load on the node and closes with its figures as JSON', () => {
  for (const mode of [
    ['--connections', '4'],
    ['--rate', '200'],
  ]) {
    const { stdout, status } = kvorum(['bench', '--duration', '1', '--keys', '10', ...mode]);
    assert.equal(status, 0);
    const { bench, results } = JSON.parse(stdout.trim().split('\n').at(-1) as string) as {
      bench: string;
      results: Record<string, { value: number }>;
    };
    assert.equal(bench, 'load');
    assert.ok((results.requests?.value as number) > 0 && (results.put_p99?.value as number) > 0);
    assert.equal(results.failures?.value, 0);
  }
});

test('completion scripts are made of the commands as they are, and bash takes its own', () => {
  const script = kvorum(['completion', 'bash']).stdout;
  for (const word of ['import', 'namespaces create', '--key-format', 'server'])
    assert.ok(script.includes(word), word);
  const tried = spawnSync(
    'bash',
    ['-c', `${script}\nCOMP_WORDS=(kvorum namespaces c); COMP_CWORD=2; _kvorum; echo "\${COMPREPLY[@]}"`],
    { encoding: 'utf8' },
  );
  assert.equal(tried.stdout, 'create\n', tried.stderr);
  assert.match(kvorum(['completion', 'fish']).stdout, /complete -c kvorum/);
  assert.equal(kvorum(['completion', 'tcsh']).status, 2);
});
