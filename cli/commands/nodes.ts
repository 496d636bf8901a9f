import type { Command } from 'commander';
import { showMembers } from '../cluster/cluster-actions.ts';
import { confirm } from '../lib/confirm.ts';
import { print, printJson, withSession } from '../lib/session.ts';

export function registerNodes(program: Command): void {
  const group = program.command('nodes').description('list the members of the cluster, remove one');
  group
    .command('list', { isDefault: true })
    .description('members with liveness, role, weight, epoch and addresses')
    .action(async (_flags: unknown, command: Command) => await withSession(command, showMembers));
  group
    .command('remove <name>')
    .description('remove a member for good: it can come back with an empty data directory only')
    .option('--yes', 'do not ask')
    .action(async (name: string, flags: { readonly yes?: true }, command: Command) => {
      await withSession(command, async ({ client, output }) => {
        await confirm(`Remove the member '${name}' for good?`, flags.yes === true);
        const result = await client.removeMember(name);
        if (output === 'json') printJson(result);
        else print(`removed ${name} (member ${result.member}), epoch ${result.epoch}\n`);
      });
    });
}
