import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { print, printJson } from '../lib/session.ts';

export function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

export function registerVersion(program: Command): void {
  program
    .command('version')
    .description('print the version')
    .action((_flags: unknown, command: Command) => {
      const version = packageVersion();
      if (command.optsWithGlobals().output === 'json') printJson({ version, node: process.version });
      else print(`kvorum ${version}\n`);
    });
}
