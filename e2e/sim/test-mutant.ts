import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Whether the tests of `file` pass in a process that has loaded `mutant`; without one in the store as it is. */
export function passes(file: string, mutant?: string): boolean {
  const preload = mutant === undefined ? [] : ['--import', './e2e/sim/load-mutant.ts'];
  // A test within a run of tests would report to that run.
  const { NODE_TEST_CONTEXT: _, ...environment } = process.env;
  const env = mutant === undefined ? environment : { ...environment, KVORUM_MUTANT: mutant };
  const { status, error } = spawnSync(process.execPath, [...preload, file], {
    ...{ cwd: ROOT, env, stdio: 'ignore', timeout: 60_000 },
  });
  if (error !== undefined) throw error;
  return status === 0;
}
