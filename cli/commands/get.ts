import type { Command } from 'commander';
import { CliError, EXIT } from '../lib/cli-error.ts';
import { bytesMember, infoJson } from '../lib/entry-json.ts';
import { parseKey } from '../lib/key-format.ts';
import { type LevelFlags, levelsOf, withReadLevel } from '../lib/level-options.ts';
import { printJson, withSession } from '../lib/session.ts';

export function registerGet(program: Command): void {
  withReadLevel(program.command('get <key>'))
    .description('write the value of a key to standard output, byte for byte')
    .action(async (key: string, flags: LevelFlags, command: Command) => {
      await withSession(command, async (session) => {
        const { client, namespace, keyFormat, output } = session;
        const bytes = parseKey(key, keyFormat);
        const found = await client.get(namespace, bytes, levelsOf(flags, session));
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
