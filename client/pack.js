// What `npm pack` runs: `node pack.js before` builds dist/ and makes package.json point there, `node pack.js after` undoes
// that. In the repository the package is its TypeScript source, which needs no build; npm has no other way to say so, as
// it does not apply publishConfig.exports. Plain JavaScript, since npm runs it with the Node it finds, which may be 20.
import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = dirname(fileURLToPath(import.meta.url));
const MANIFEST = join(HERE, 'package.json');
const LICENSE = join(HERE, 'LICENSE');
const SOURCE = { '.': './src/index.ts' };
const BUILT = { '.': { types: './dist/index.d.ts', default: './dist/index.js' } };

/** Whole or not at all: whoever imports the package meanwhile reads one of both. */
function pointTo(exports) {
  const manifest = { ...JSON.parse(readFileSync(MANIFEST, 'utf8')), exports };
  const written = `${MANIFEST}.${process.pid}`;
  writeFileSync(written, `${JSON.stringify(manifest, null, 2)}\n`);
  renameSync(written, MANIFEST);
}

function build() {
  rmSync(join(HERE, 'dist'), { recursive: true, force: true });
  const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
  const project = join(HERE, 'tsconfig.build.json');
  execFileSync(process.execPath, [tsc, '--project', project], { stdio: ['ignore', 2, 2] });
}

switch (process.argv[2]) {
  case 'before':
    build();
    cpSync(join(HERE, '../LICENSE'), LICENSE);
    pointTo(BUILT);
    break;
  case 'after':
    rmSync(LICENSE);
    pointTo(SOURCE);
    break;
  default:
    throw new Error('pack.js is for npm pack: node pack.js before|after');
}
