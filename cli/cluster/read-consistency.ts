import type { ReadConsistency } from '@kvorum/client';
import { CliError, EXIT } from '../lib/cli-error.ts';
import type { Session } from '../lib/session.ts';

/**
 * Linearizable where there is a leader. Where there is none, what this node has applied is better than nothing, and
 * it is said on standard error. Refuses at once where the node is of no cluster.
 */
export async function chooseConsistency({ client }: Session): Promise<ReadConsistency> {
  const { node, leader, epoch } = await client.cluster();
  if (node.state === 'waiting' || node.state === 'joining') {
    const reason = node.reason === undefined ? '' : `: ${node.reason}`;
    throw new CliError(
      EXIT.refused,
      `${node.name} is of no cluster yet (${node.state}${reason}); 'kvorum cluster bootstrap' makes one of it`,
    );
  }
  if (leader !== undefined && node.state === 'member') return 'linearizable';
  process.stderr.write(`no leader is known: this is what ${node.name} has applied, up to epoch ${epoch}\n`);
  return 'local';
}
