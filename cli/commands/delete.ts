import type { Command } from 'commander';
import { parseKey } from '../lib/key-format.ts';
import { type LevelFlags, levelsOf, withWriteLevels } from '../lib/level-options.ts';
import { printJson, withSession } from '../lib/session.ts';

export function registerDelete(program: Command): void {
  withWriteLevels(program.command('delete <key>'))
    .description('delete a key; deleting a missing key is a success')
    .action(async (key: string, flags: LevelFlags, command: Command) => {
      await withSession(command, async (session) => {
        const { client, namespace, keyFormat, output } = session;
        const deleted = await client.delete(namespace, parseKey(key, keyFormat), levelsOf(flags, session));
        if (output === 'json') printJson(deleted);
      });
    });
}
