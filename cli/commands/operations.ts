import type { Command } from 'commander';
import { usageError } from '../lib/cli-error.ts';
import { print, printJson, withSession } from '../lib/session.ts';
import { showOperations, showStopVerdict } from '../operations/operation-actions.ts';
import { waitForDrain } from '../operations/wait-for-drain.ts';

type DrainFlags = { readonly wait?: true; readonly cancel?: true };

export function registerDrain(program: Command): void {
  program
    .command('drain <name>')
    .description('move the data of a member to the others, so that it can be removed')
    .option('--wait', 'until nothing is left on it; interrupting this leaves the drain going')
    .option('--cancel', 'end the drain; what has moved stays where it is')
    .action(async (name: string, flags: DrainFlags, command: Command) => {
      if (flags.wait && flags.cancel) throw usageError('give --wait or --cancel, not both');
      await withSession(command, async (session) => {
        const { client, output } = session;
        const result = await (flags.cancel ? client.cancelDrain(name) : client.drainMember(name));
        if (flags.wait) return await waitForDrain(session, name);
        if (output === 'json') printJson(result);
        else if (flags.cancel) print(`${name} does not drain, epoch ${result.epoch}\n`);
        else print(`${name} drains since epoch ${result.epoch}; kvorum operations tells how far it is\n`);
      });
    });
}

export function registerOperations(program: Command): void {
  program
    .command('operations')
    .description(
      'what is being done with the data (drains, replacements, a rebalance), and what it waits for',
    )
    .action(async (_flags: unknown, command: Command) => await withSession(command, showOperations));
}

export function registerCanStop(program: Command): void {
  program
    .command('can-stop <name>')
    .description(
      'whether a node can be stopped now without a quorum being lost; exit 1 with the reasons where not',
    )
    .action(async (name: string, _flags: unknown, command: Command) => {
      await withSession(command, async (session) => await showStopVerdict(session, name));
    });
}
