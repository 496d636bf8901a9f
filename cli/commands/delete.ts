import type { Command } from 'commander';
import { parseKey } from '../lib/key-format.ts';
import { printJson, withSession } from '../lib/session.ts';

export function registerDelete(program: Command): void {
  program
    .command('delete <key>')
    .description('delete a key; deleting a missing key is a success')
    .action(async (key: string, _flags: unknown, command: Command) => {
      await withSession(command, async ({ client, namespace, keyFormat, output }) => {
        const deleted = await client.delete(namespace, parseKey(key, keyFormat));
        if (output === 'json') printJson(deleted);
      });
    });
}
