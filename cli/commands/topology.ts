import type { Command } from 'commander';
import { showTopology, watchTopology } from '../cluster/cluster-actions.ts';
import { withSession } from '../lib/session.ts';

export function registerTopology(program: Command): void {
  program
    .command('topology')
    .description('epoch, members, partitions and namespaces')
    .option('--watch', 'a line for each change, until interrupted')
    .action(async (flags: { readonly watch?: true }, command: Command) => {
      await withSession(command, async (session) => {
        if (flags.watch !== true) return await showTopology(session);
        const interrupted = new AbortController();
        process.once('SIGINT', () => interrupted.abort());
        await watchTopology(session, interrupted.signal);
      });
    });
}
