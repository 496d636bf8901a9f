import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';

/** What biome says of `source` when it stands in `folder`. */
function lint(folder: string, source: string): string {
  const path = `${folder}/house-rules-probe.ts`;
  writeFileSync(path, source);
  try {
    execFileSync('node_modules/.bin/biome', ['lint', path], { encoding: 'utf8', stdio: 'pipe' });
    return '';
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    return stdout + stderr;
  } finally {
    rmSync(path);
  }
}

const FORBIDDEN: readonly (readonly [what: string, folder: string, source: string, says: RegExp])[] = [
  [
    'a node: module in core',
    'store/core/ring',
    "import { join } from 'node:path';\nexport const a = join('a');\n",
    /store\/core imports only store\/core/,
  ],
  [
    'another layer in core',
    'store/core/ring',
    "import { KvError } from '../../storage/errors.ts';\nexport const a = KvError;\n",
    /store\/core imports only store\/core/,
  ],
  [
    'a package in core',
    'store/core/ring',
    "import { z } from 'zod';\nexport const a = z;\n",
    /store\/core imports only store\/core/,
  ],
  ['a clock in core', 'store/core/ring', 'export const a = Date.now();\n', /No clock in store\/core/],
  ['a timer in core', 'store/core/ring', 'setTimeout(() => {}, 1);\n', /No timers in store\/core/],
  [
    'randomness in core',
    'store/core/ring',
    'export const a = Math.random();\n',
    /No randomness in store\/core/,
  ],
  [
    'a promise in core',
    'store/core/ring',
    'export const a = Promise.resolve(1);\n',
    /store\/core is synchronous/,
  ],
  [
    'the disk outside io',
    'store/storage',
    "import { readFileSync } from 'node:fs';\nexport const a = readFileSync;\n",
    /Only io\/ and the main files/,
  ],
  [
    'io outside io',
    'store/storage',
    "import { systemClock } from '../io/system-clock.ts';\nexport const a = systemClock;\n",
    /imports io\//,
  ],
  ['the clock outside io', 'store/node', 'export const a = Date.now();\n', /Time is a port/],
  [
    'a floating promise',
    'store/io',
    'async function f(): Promise<void> {}\nexport function g(): void {\n  f();\n}\n',
    /noFloatingPromises/,
  ],
  [
    'a switch that misses a case',
    'store/core/ring',
    "type T = 'a' | 'b';\nexport function g(t: T): void {\n  switch (t) {\n    case 'a':\n      return;\n  }\n}\n",
    /useExhaustiveSwitchCases/,
  ],
];

for (const [what, folder, source, says] of FORBIDDEN) {
  test(`lint refuses ${what}`, () => assert.match(lint(folder, source), says));
}

test('lint accepts core that imports core', () => {
  assert.equal(
    lint(
      'store/core/ring',
      "import { compareBytes } from '../bytes/bytes.ts';\nexport const a = compareBytes;\n",
    ),
    '',
  );
});
