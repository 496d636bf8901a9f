import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Makes sure that `file`, of the Debian package `packageName`, is there; installs it where that is possible. */
export function ensureDebianPackage(packageName: string, file: string): void {
  if (existsSync(file)) return;
  const advice = `this run needs ${file}: apt-get install ${packageName}`;
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) throw new Error(advice);
  process.stderr.write(`installing the Debian package ${packageName}\n`);
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  try {
    execFileSync('apt-get', ['update', '-qq'], { stdio: 'ignore', env: environment });
    execFileSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', packageName], {
      stdio: 'ignore',
      env: environment,
    });
  } catch (cause) {
    throw new Error(advice, { cause });
  }
}
