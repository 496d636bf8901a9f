// Builds the package as it is published into dist/: JavaScript, declarations, and a package.json that points to them.
// (In the repository the package is its TypeScript source, and npm does not apply publishConfig.exports when it packs.)
import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const HERE = import.meta.dirname;
const DIST = join(HERE, 'dist');

const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
rmSync(DIST, { recursive: true, force: true });
execFileSync(process.execPath, [tsc, '--project', join(HERE, 'tsconfig.build.json')], { stdio: 'inherit' });
const { private: _, scripts: __, ...manifest } = JSON.parse(readFileSync(join(HERE, 'package.json'), 'utf8'));
manifest.exports = { '.': { types: './index.d.ts', default: './index.js' } };
writeFileSync(join(DIST, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
cpSync(join(HERE, 'README.md'), join(DIST, 'README.md'));
cpSync(join(HERE, '../LICENSE'), join(DIST, 'LICENSE'));
