import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const BUILT = fileURLToPath(new URL('../../.kvorum/bin/', import.meta.url));

/**
 * A program that the tests of the chart need: what the variable names, what charts/install-*.sh has put into .kvorum/bin, or that of the
 * PATH; undefined where there is none.
 */
export function findTool(name: string, variable: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(':');
  const candidates = [
    process.env[variable],
    `${BUILT}${name}`,
    ...folders.map((folder) => `${folder}/${name}`),
  ];
  return candidates.find((each) => each !== undefined && existsSync(each));
}
