import type { NewOperation } from '@kvorum/client';
import type { Command } from 'commander';
import { usageError } from '../lib/cli-error.ts';
import { numberBetween } from '../lib/parse-option.ts';
import { withSession } from '../lib/session.ts';
import {
  cancelDrain,
  cancelOperation,
  showOperations,
  showStopVerdict,
  startOperation,
} from '../operations/operation-actions.ts';
import { waitForOperation } from '../operations/wait-for-operation.ts';

type StartFlags = { readonly wait?: true; readonly force?: true };

const REPLICATION_FACTOR_MAX = 9;
const FORCE = 'also where replicas would come to share a zone, or a disk seems too small';
const WAIT = 'until it has ended; interrupting this leaves it going';

export function registerDrain(program: Command): void {
  program
    .command('drain <name>')
    .description('move the data of a member to the others, and remove it then')
    .option('--force', FORCE)
    .option('--wait', WAIT)
    .option('--cancel', 'end the drain; what has moved stays where it is')
    .action(async (name: string, flags: StartFlags & { readonly cancel?: true }, command: Command) => {
      if (flags.wait && flags.cancel) throw usageError('give --wait or --cancel, not both');
      if (flags.cancel)
        return await withSession(command, async (session) => await cancelDrain(session, name));
      await start(command, { type: 'drain', member: name }, flags);
    });
}

export function registerReplace(program: Command): void {
  program
    .command('replace <name>')
    .description('make the data of a lost member anew on others, and remove it then')
    .option('--force', `also of a member that is up, ${FORCE}`)
    .option('--wait', WAIT)
    .action(async (name: string, flags: StartFlags, command: Command) => {
      await start(command, { type: 'replace', member: name }, flags);
    });
}

export function registerRebalance(program: Command): void {
  program
    .command('rebalance')
    .description('have every partition go where it should be')
    .option('--force', FORCE)
    .option('--wait', WAIT)
    .action(async (flags: StartFlags, command: Command) => {
      await start(command, { type: 'rebalance' }, flags);
    });
}

export function registerFactor(program: Command): void {
  const parse = numberBetween(1, REPLICATION_FACTOR_MAX);
  program
    .command('factor')
    .argument('<count>', 'replicas of each partition, 1 to 9', parse)
    .description('change the replication factor')
    .option('--force', FORCE)
    .option('--wait', WAIT)
    .action(async (replicationFactor: number, flags: StartFlags, command: Command) => {
      await start(command, { type: 'factor', replicationFactor }, flags);
    });
}

async function start(command: Command, wanted: NewOperation, { wait, force }: StartFlags): Promise<void> {
  await withSession(command, async (session) => {
    await startOperation(session, { ...wanted, force }, { wait: wait === true });
  });
}

export function registerOperations(program: Command): void {
  const group = program
    .command('operations')
    .description('what is being done with the data, and what it waits for');
  group
    .command('list', { isDefault: true })
    .description('drains, replacements, rebalances and changes of the factor that run')
    .option('--all', 'also those that ended of late')
    .action(async ({ all = false }: { readonly all?: boolean }, command: Command) => {
      await withSession(command, async (session) => await showOperations(session, { all }));
    });
  group
    .command('watch <id>')
    .description('show how far one is until it has ended; interrupting this leaves it going')
    .action(async (id: string, _flags: unknown, command: Command) => {
      await withSession(command, async (session) => await waitForOperation(session, id));
    });
  group
    .command('cancel <id>')
    .description('end one; what has moved stays where it is')
    .action(async (id: string, _flags: unknown, command: Command) => {
      await withSession(command, async (session) => await cancelOperation(session, id));
    });
}

export function registerCanStop(program: Command): void {
  program
    .command('can-stop <name>')
    .description(
      'whether a node can be stopped now without a quorum being lost; exit 1 with the reasons where not',
    )
    .option('--look', 'only ask: else a yes keeps others from being stopped beside it for a minute')
    .action(async (name: string, { look = false }: { readonly look?: boolean }, command: Command) => {
      await withSession(command, async (session) => await showStopVerdict(session, name, { look }));
    });
}
