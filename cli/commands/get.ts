import type { Command } from 'commander';
import { CliError, EXIT } from '../lib/cli-error.ts';
import { bytesMember, infoJson } from '../lib/entry-json.ts';
import { parseKey } from '../lib/key-format.ts';
import { printJson, withSession } from '../lib/session.ts';

export function registerGet(program: Command): void {
  program
    .command('get <key>')
    .description('write the value of a key to standard output, byte for byte')
    .action(async (key: string, _flags: unknown, command: Command) => {
      await withSession(command, async ({ client, namespace, keyFormat, output }) => {
        const bytes = parseKey(key, keyFormat);
        const found = await client.get(namespace, bytes);
        if (found === undefined)
          throw new CliError(EXIT.notFound, `no key '${key}' in namespace '${namespace}'`);
        if (output === 'json')
          printJson({
            ...bytesMember('key', bytes),
            ...bytesMember('value', found.value),
            ...infoJson(found),
          });
        else process.stdout.write(found.value);
      });
    });
}
