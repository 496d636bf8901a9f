import type { BootstrapOptions } from '@kvorum/client';
import { type Command, InvalidArgumentError } from 'commander';
import { showCluster } from '../cluster/cluster-actions.ts';
import { numberBetween } from '../lib/parse-option.ts';
import { print, printJson, withSession } from '../lib/session.ts';

const PARTITIONS_MAX = 4096;
const REPLICATION_FACTOR_MAX = 9;

export function registerCluster(program: Command): void {
  const group = program
    .command('cluster')
    .description('how the cluster is, making one, handing over its lead');
  group
    .command('status')
    .description('quorum, leader, voters and who is missing; exit 1 where the quorum is lost')
    .action(async (_flags: unknown, command: Command) => await withSession(command, showCluster));
  group
    .command('bootstrap')
    .description('make a new cluster of this node; the others join it by their seeds')
    .option('--cluster-id <id>', '32 hexadecimal digits; drawn where absent', parseClusterId)
    .option(
      '--replication-factor <count>',
      'replicas of each partition',
      numberBetween(1, REPLICATION_FACTOR_MAX),
    )
    .option('--partitions <count>', 'slices of the hash space, a power of two', parsePartitions)
    .action(async (flags: BootstrapOptions, command: Command) => {
      await withSession(command, async ({ client, output }) => {
        const result = await client.bootstrap(flags);
        if (output === 'json') printJson(result);
        else print(`${result.clusterId}${result.created ? '' : ' (it was made before)'}\n`);
      });
    });
  group
    .command('transfer-leadership [name]')
    .description('hand the leadership to a voter, or to the one that the leader chooses')
    .action(async (to: string | undefined, _flags: unknown, command: Command) => {
      await withSession(command, async ({ client, output }) => {
        const result = await client.transferLeadership(to === undefined ? {} : { to });
        if (output === 'json') printJson(result);
        else print(`${result.leader} leads\n`);
      });
    });
}

function parseClusterId(text: string): string {
  if (!/^[0-9a-f]{32}$/.test(text))
    throw new InvalidArgumentError('give 32 hexadecimal digits in lower case.');
  return text;
}

function parsePartitions(text: string): number {
  const count = numberBetween(1, PARTITIONS_MAX)(text);
  if (!Number.isInteger(Math.log2(count)))
    throw new InvalidArgumentError(`give a power of two from 1 to ${PARTITIONS_MAX}.`);
  return count;
}
