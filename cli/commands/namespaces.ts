import type { Command } from 'commander';
import { print, printJson, withSession } from '../lib/session.ts';

export function registerNamespaces(program: Command): void {
  const group = program.command('namespaces').description('list, create and delete namespaces');
  group
    .command('list')
    .description('names, consistency and time of creation')
    .action(async (_flags: unknown, command: Command) => {
      await withSession(command, async ({ client, output }) => {
        const namespaces = await client.listNamespaces();
        if (output === 'json') printJson(namespaces);
        else
          for (const { name, consistency, createdAt } of namespaces)
            print(`${name}\t${consistency}\t${createdAt.toISOString()}\n`);
      });
    });
  group
    .command('create <name>')
    .description('make sure that there is one')
    .action(async (name: string, _flags: unknown, command: Command) => {
      await withSession(command, async ({ client, output }) => {
        const result = await client.createNamespace(name);
        if (output === 'json') printJson(result);
      });
    });
  group
    .command('delete <name>')
    .description('delete an empty namespace')
    .option('--confirm <name>', 'repeat the name to delete it with all of its keys')
    .action(async (name: string, flags: { readonly confirm?: string }, command: Command) => {
      await withSession(command, async ({ client }) => await client.deleteNamespace(name, flags));
    });
}
