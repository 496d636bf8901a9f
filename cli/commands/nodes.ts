import type { MemberUpdate } from '@kvorum/client';
import { type Command, Option } from 'commander';
import { showConfig, showMembers } from '../cluster/cluster-actions.ts';
import { preStop } from '../cluster/pre-stop.ts';
import { ownService } from '../cluster/service-gone.ts';
import { stopNode } from '../cluster/stop-node.ts';
import { usageError } from '../lib/cli-error.ts';
import { confirm } from '../lib/confirm.ts';
import { numberBetween } from '../lib/parse-option.ts';
import { print, printJson, withSession } from '../lib/session.ts';

const WEIGHT_MAX = 1000;
const WAIT_SECONDS_MAX = 3600;
const WAIT_SECONDS = 60;
const SERVE_SECONDS = 5;

export function registerNodes(program: Command): void {
  const group = program
    .command('nodes')
    .description('list the members of the cluster; change, stop or remove one');
  group
    .command('list', { isDefault: true })
    .description('members with liveness, role, weight, epoch and addresses')
    .action(async (_flags: unknown, command: Command) => await withSession(command, showMembers));
  group
    .command('config')
    .description(
      'the settings that the node of --url goes by now; which are live, and what waits for a restart',
    )
    .action(async (_flags: unknown, command: Command) => await withSession(command, showConfig));
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
  group
    .command('update <name>')
    .description('change the weight or the zone of a member; its data moves accordingly')
    .option('--weight <weight>', 'share of the data relative to others', numberBetween(1, WEIGHT_MAX))
    .option('--zone <zone>', 'failure domain; counts until the node announces another one')
    .action(async (name: string, update: MemberUpdate, command: Command) => {
      if (Object.keys(update).length === 0) throw usageError('give --weight, --zone, or both');
      await withSession(command, async ({ client, output }) => {
        const result = await client.updateMember(name, update);
        if (output === 'json') printJson(result);
        else print(`changed ${name} (member ${result.member}), epoch ${result.epoch}\n`);
      });
    });
  group
    .command('stop <name>')
    .description(
      'stop the process of a node, where no quorum is lost by it; exit 1 with the reasons where one is',
    )
    .option('--force', 'whatever is lost by it')
    .action(async (name: string, { force = false }: { readonly force?: boolean }, command: Command) => {
      await withSession(command, async (session) => await stopNode(session, name, { force }));
    });
  group
    .command('prestop')
    .description(
      'wait until the node of --url can stop without the loss of a quorum, and hand over what it leads: for a preStop hook',
    )
    .addOption(seconds('--wait <seconds>', 'the longest wait; exit 1 after it').default(WAIT_SECONDS))
    .addOption(seconds('--serve <seconds>', 'the shortest, within the wait').default(SERVE_SECONDS))
    .action(async (flags: { readonly wait: number; readonly serve: number }, command: Command) => {
      const options = { waitMs: flags.wait * 1000, serveMs: flags.serve * 1000 };
      await withSession(
        command,
        async (session) => await preStop(session, options, { service: ownService() }),
      );
    });
}

function seconds(flags: string, description: string): Option {
  return new Option(flags, description).argParser(numberBetween(0, WAIT_SECONDS_MAX));
}
