import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

/** Pages that say which test shows what: each file, title and command that they name is there. */

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const PAGES = ['features.md', 'operators-compared.md', 'regressions.md'];

const read = (page: string): string => readFileSync(new URL(page, import.meta.url), 'utf8');

/** Test files, also by patterns, and without their folders where the folder stands before. */
function missingFiles(text: string): readonly string[] {
  const named = [...text.matchAll(/`([\w*/.-]+\.test\.ts)`/g)].map(([, path = '']) => path);
  return [...new Set(named)].filter(
    (path) =>
      globSync(path.includes('/') ? path : `**/${path}`, { cwd: ROOT, exclude: ['node_modules'] }).length ===
      0,
  );
}

type Named = { readonly path: string; readonly title: string };

/** "`path`: title…, title…; ..." up to the end of the cell. A title ends with three dots where it goes on, and may be whole on a page of `whole` titles. */
function titlesIn(text: string, { isWhole }: { readonly isWhole: boolean }): readonly Named[] {
  return [...text.matchAll(/`([\w/.-]+\.test\.ts)`: ([^|`]+)/g)].flatMap(([, path = '', rest = '']) => {
    const titles = [...rest.matchAll(/(?:^|, )…?(.+?)…/g)].map(([, title = '']) => title);
    const last = rest.split('…').at(-1)?.replace(/; $/, '').trim() ?? '';
    return [...titles, ...(isWhole && titles.length === 0 ? [last] : [])].map((title) => ({ path, title }));
  });
}

function isMissing({ path, title }: Named): boolean {
  const source = readFileSync(`${ROOT}${path}`, 'utf8').replaceAll("\\'", "'");
  return !source.includes(title);
}

for (const page of PAGES)
  test(`${page}: each test file that it names is there`, () => {
    assert.deepEqual(missingFiles(read(page)), []);
  });

for (const page of ['features.md', 'operators-compared.md'])
  test(`${page}: each test that it names is in its file`, () => {
    const named = titlesIn(read(page), { isWhole: page === 'operators-compared.md' });
    assert.ok(named.length > 20);
    assert.deepEqual(named.filter(isMissing), []);
  });

for (const page of ['features.md', 'operators-compared.md'])
  test(`${page}: each scenario and benchmark that it names is there`, () => {
    const commands = [...read(page).matchAll(/`(?:\.\/dev\.sh )(e2e|bench) ([a-z-]+)/g)];
    assert.ok(commands.length > 5);
    const files = commands.map(([, kind, name]) =>
      kind === 'bench' ? `bench/${name}.bench.ts` : `e2e/kube/scenarios/${name}.ts`,
    );
    assert.deepEqual(
      [...new Set(files)].filter((file) => globSync(file, { cwd: ROOT }).length === 0),
      [],
    );
  });

test('operators-compared.md: each yes of ours has a test', () => {
  const rows = read('operators-compared.md')
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()));
  const ours = rows.filter((cells) => cells.length === 10 && cells[2]?.startsWith('yes'));
  assert.ok(ours.length > 30);
  for (const cells of ours)
    assert.match(cells[3] ?? '', /`(\.\/dev\.sh e2e|[\w/.-]+\.test\.ts`: )/, cells[1]);
  assert.ok(rows.filter((cells) => cells[3] === 'held by').every((cells) => cells.length === 10));
});
