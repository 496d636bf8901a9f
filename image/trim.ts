import { lstatSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/**
 * `node trim.ts node_modules` removes from installed packages what production never reads: types and source maps, documents other than
 * licences, the C++ that native modules were compiled from, and what they were compiled to for other systems. It is a quarter of the image.
 */

const UNREAD_FILE = /\.(d\.[cm]?ts|map|md|markdown|cc|h|gyp|gypi|zip|tsbuildinfo)$/i;
const LICENCE = /^(licen[cs]e|notice|copying)/i;
/** Of a package: the sources of native modules (LevelDB, RocksDB), and what only its authors run. */
const UNREAD_DIRECTORY = /^(@[\w-]+\/)?[\w.-]+\/(deps|tests?|benchmarks?|examples?|docs)$/;
const PREBUILT = /\/prebuilds$/;

const root = process.argv[2];
if (root === undefined) throw new Error('Say which directory: node trim.ts node_modules');
const removedBytes = trimDirectory(root, '');
process.stdout.write(`removed ${(removedBytes / 1e6).toFixed(1)} MB from ${root}\n`);

/** How many bytes were removed of the directory `path` of `base`. */
function trimDirectory(base: string, path: string): number {
  let bytes = 0;
  for (const entry of readdirSync(join(base, path), { withFileTypes: true })) {
    const below = path === '' ? entry.name : `${path}/${entry.name}`;
    if (isUnread(path, entry.name, below, entry.isDirectory())) bytes += remove(join(base, below));
    else if (entry.isDirectory()) bytes += trimDirectory(base, below);
  }
  return bytes;
}

function isUnread(parent: string, name: string, path: string, isDirectory: boolean): boolean {
  if (PREBUILT.test(parent)) return name !== `${process.platform}-${process.arch}`;
  if (isDirectory) return UNREAD_DIRECTORY.test(path);
  return UNREAD_FILE.test(name) && !LICENCE.test(name);
}

function remove(path: string): number {
  const bytes = sizeBytes(path);
  rmSync(path, { recursive: true });
  return bytes;
}

function sizeBytes(path: string): number {
  const stat = lstatSync(path);
  if (!stat.isDirectory()) return stat.size;
  return readdirSync(path).reduce((sum, name) => sum + sizeBytes(join(path, name)), 0);
}
