import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { after, before, test } from 'node:test';
import { runCli } from '../../e2e/lib/run-cli.ts';
import { freePort, ServerProcess } from '../../e2e/lib/server-process.ts';
import type { Frame } from './frame.ts';
import { createRecordReader, type RecordOptions } from './import-record.ts';

const directory = mkdtempSync(`${tmpdir()}/kvorum-import-`);
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

function kvorum(...args: string[]) {
  return runCli(server.url, args);
}

function fileOf(name: string, text: string | Uint8Array): string {
  const path = `${directory}/${name}`;
  writeFileSync(path, text);
  return path;
}

function recordsOf(
  options: Partial<RecordOptions> & Pick<RecordOptions, 'format'>,
  frames: readonly Frame[],
): string[] {
  const reader = createRecordReader({ key: undefined, value: undefined, nowMs: 0, ...options });
  return frames.map((frame, i) => {
    const record = reader({ line: i + 1, frame });
    if (record.type !== 'put') return record.type === 'bad' ? `bad: ${record.reason}` : 'skip';
    return `${Buffer.from(record.key)} = ${Buffer.from(record.value)}${record.ttlSeconds === undefined ? '' : ` for ${record.ttlSeconds} s`}`;
  });
}

const cells = (...values: string[]): Frame => ({ type: 'cells', cells: values, next: 0 });
const text = (value: string): Frame => ({ type: 'text', text: value, next: 0 });

test('a table: columns as key and value, or a template and the whole row', () => {
  const table = [cells('key', 'value'), cells('a', '1'), cells('b'), cells('\xff', '2')];
  assert.deepEqual(recordsOf({ format: 'csv' }, table), [
    'skip',
    'a = 1',
    'bad: 1 cells, and the header has 2',
    'bad: not UTF-8',
  ]);
  const people = [cells('name', 'town'), cells('Ada', 'London')];
  assert.deepEqual(recordsOf({ format: 'csv', key: '{town}/{name}' }, people), [
    'skip',
    'London/Ada = {"name":"Ada","town":"London"}',
  ]);
  assert.deepEqual(recordsOf({ format: 'csv', key: 'name', value: 'town' }, people), [
    'skip',
    'Ada = London',
  ]);
  assert.throws(() => recordsOf({ format: 'csv' }, people), /no column 'key'; it has name, town/);
});

test('JSON: lines of an export, or any objects with a key template', () => {
  const lines = [
    '{"key":"a","value":"1"}',
    '{"keyBase64":"/w==","valueBase64":"aGk="}',
    '{"x":1}',
    '[1]',
    '{"key"',
    '{"key":"t","value":"","expiresAt":"1970-01-01T00:00:09.5Z"}',
  ];
  assert.deepEqual(
    recordsOf({ format: 'ndjson' }, lines.map(text)).map((each) =>
      each.replace(/^bad: not JSON: .*/, 'bad: not JSON'),
    ),
    [
      'a = 1',
      '\ufffd = hi',
      "bad: the record has no 'key' or 'keyBase64'; --key makes one of other fields",
      'bad: not a JSON object',
      'bad: not JSON',
      't =  for 10 s',
    ],
  );
  assert.deepEqual(
    recordsOf({ format: 'ndjson', nowMs: 20_000 }, [text(lines[5] as string)]),
    ['skip'],
    'expired since it was exported',
  );
  assert.deepEqual(recordsOf({ format: 'json', key: '{a.b}' }, [text('{"a":{"b":7}}')]), [
    '7 = {"a":{"b":7}}',
  ]);
});

test('lines: numbered keys, or a template of line and text', () => {
  assert.deepEqual(recordsOf({ format: 'lines' }, [text('one'), text('two')]), [
    '000000000001 = one',
    '000000000002 = two',
  ]);
  assert.deepEqual(recordsOf({ format: 'lines', key: 'word/{text}' }, [text('one')]), ['word/one = one']);
});

test('bad lines are reported by number, and no good one is lost', () => {
  const csv = fileOf(
    'bad.csv',
    `key,value\na,1\nb,"open\nc,3,extra\n${'k'.repeat(2000)},long\nd,"x, ""y"""\n,empty key\nlast,9\n`,
  );
  const errors = `${directory}/bad.errors`;
  const { status, stderr } = kvorum('import', csv, '--errors', errors);
  assert.equal(status, 6, stderr);
  const reported = readFileSync(errors, 'utf8')
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { line: number }).line);
  assert.deepEqual(
    reported.toSorted((a, b) => a - b),
    [3, 4, 5, 7],
  );
  for (const line of reported) assert.match(stderr, new RegExp(`^line ${line}: `, 'm'));
  const scanned = kvorum('scan').stdout;
  assert.equal(scanned, 'a\t1\nd\tx, "y"\nlast\t9\n');
});

test('an export comes back equal, with any bytes, content types and times to live', () => {
  kvorum('namespaces', 'create', 'copy');
  kvorum('put', '--key-format', 'hex', 'ff00', 'x');
  kvorum('put', 'typed', '{}', '--content-type', 'application/json');
  kvorum('put', 'fading', 'soon', '--ttl', '3600');
  const [first, second] = [`${directory}/first.ndjson`, `${directory}/second.ndjson`];
  assert.equal(kvorum('export', first).status, 0);
  assert.equal(kvorum('-n', 'copy', 'import', first).status, 0);
  assert.equal(kvorum('-n', 'copy', 'export', second).status, 0);
  const withoutVersions = (path: string): string[] =>
    readFileSync(path, 'utf8')
      .replaceAll(/"version":"[^"]*"/g, '')
      .replaceAll(/"expiresAt":"[^"]*"/g, '"expires"')
      .split('\n');
  assert.deepEqual(withoutVersions(second), withoutVersions(first));
  assert.match(readFileSync(second, 'utf8'), /"keyBase64":"\/wA="/);
});

test('an import that was killed goes on where it was, and nothing is missing in the end', async () => {
  kvorum('namespaces', 'create', 'resumed');
  const records = 60_000;
  const lines = Array.from(
    { length: records },
    (_, i) => `{"key":"k${String(i).padStart(6, '0')}","value":"${'v'.repeat(100)}"}\n`,
  );
  const file = fileOf('large.ndjson', lines.join(''));
  const state = `${file}.kvorum-import`;
  const args = ['cli/main.ts', '--url', server.url, '-n', 'resumed', 'import', file];
  const first = spawn(process.execPath, args, { stdio: 'ignore' });
  const exited = new Promise((resolve) => first.once('exit', resolve));
  while (!existsSync(state) && first.exitCode === null)
    await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(first.exitCode, null, 'the import ended before it could be killed');
  first.kill('SIGKILL');
  await exited;
  const second = kvorum('-n', 'resumed', '--output', 'json', 'import', file);
  assert.equal(second.status, 0, second.stderr);
  assert.match(second.stderr, /going on after [\d,]+ records/);
  const { imported, resumedAfter } = JSON.parse(second.stdout) as { imported: number; resumedAfter: number };
  assert.ok(resumedAfter > 0);
  assert.equal(imported + resumedAfter, records);
  const exported = `${directory}/resumed.ndjson`;
  kvorum('-n', 'resumed', 'export', exported);
  assert.equal(readFileSync(exported, 'utf8').trim().split('\n').length, records);
  assert.equal(existsSync(state), false, 'the state is removed at the end');
});

test('usage errors say what is allowed', () => {
  assert.match(kvorum('import', `${directory}/nothing.csv`).stderr, /cannot be read/);
  assert.match(
    kvorum('import', fileOf('data.bin', 'x')).stderr,
    /give --format csv, tsv, ndjson, json, lines/,
  );
  assert.match(kvorum('import', '-').stderr, /standard input has no name/);
  assert.equal(kvorum('import', fileOf('x.csv', 'key,value\n'), '--format', 'xml').status, 2);
});
