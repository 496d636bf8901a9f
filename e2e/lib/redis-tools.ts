import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Why a test with this program of Debian's redis-tools or redis-server cannot run; undefined where it can. */
export function missingProgram(program: string, packageName: string): string | undefined {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return `${program} is not installed (apt-get install ${packageName})`;
  }
}

/** What redis-cli prints; it ends with an error where the server answers one, and that is printed too. */
export async function redisCli(port: number, ...args: readonly string[]): Promise<string> {
  const { stdout } = await run('redis-cli', ['-p', String(port), ...args], { timeout: 30_000 });
  return stdout.trimEnd();
}

/** Requests a second by the name of the test. */
export async function redisBenchmark(port: number, ...args: readonly string[]): Promise<Map<string, number>> {
  const { stdout } = await run('redis-benchmark', ['-p', String(port), '--csv', ...args], {
    timeout: 120_000,
  });
  const rows = stdout.split('\n').flatMap((line) => {
    const [, name, rate] = /^"([^"]+)","([0-9.]+)"/.exec(line) ?? [];
    return name === undefined ? [] : [[name, Number(rate)] as const];
  });
  return new Map(rows);
}
