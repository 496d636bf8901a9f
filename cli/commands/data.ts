import type { Command } from 'commander';
import { showExplanation, showPlace, showRing, verify } from '../data/data-actions.ts';
import { withSession } from '../lib/session.ts';

export function registerRing(program: Command): void {
  program
    .command('ring')
    .description('who owns how much of the data, and how even that is')
    .action(async (_flags: unknown, command: Command) => await withSession(command, showRing));
}

export function registerLocate(program: Command): void {
  program
    .command('locate <key>')
    .description('slot, partition and replicas of a key, and which of them are up')
    .action(async (key: string, _flags: unknown, command: Command) => {
      await withSession(command, async (session) => await showPlace(session, key));
    });
}

export function registerExplain(program: Command): void {
  program
    .command('explain <key>')
    .description('where a key is and whether it is safe: what each replica holds')
    .action(async (key: string, _flags: unknown, command: Command) => {
      await withSession(command, async (session) => await showExplanation(session, session.namespace, key));
    });
}

export function registerVerify(program: Command): void {
  program
    .command('verify')
    .description('compare all replicas now and repair what differs; exit 1 where they are not proven equal')
    .option('--node <name>', 'the partitions of this member only')
    .action(async (flags: { readonly node?: string }, command: Command) => {
      await withSession(command, async (session) => await verify(session, flags.node));
    });
}
