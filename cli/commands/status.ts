import type { NodeStatus, RepairStatus } from '@kvorum/client';
import type { Command } from 'commander';
import { configLines } from '../cluster/config-text.ts';
import { repairOf } from '../data/data-actions.ts';
import { repairText } from '../data/repair-text.ts';
import { CliError, EXIT } from '../lib/cli-error.ts';
import { formatBytes, formatDuration } from '../lib/progress.ts';
import { hasColors, print, printJson, withSession } from '../lib/session.ts';

export function registerStatus(program: Command): void {
  program
    .command('status')
    .description('the node, its storage and its checks; exit 3 where it is not ready')
    .action(async (_flags: unknown, command: Command) => {
      await withSession(command, async (session) => {
        const { client, url, output, color } = session;
        const status = await client.status();
        const repair = await repairOf(session);
        const paint = (text: string) =>
          hasColors({ color }, process.stdout) ? `\u001b[${status.ready ? 32 : 31}m${text}\u001b[0m` : text;
        const { storage } = status;
        if (output === 'json') printJson({ ...status, ...(repair !== undefined && { repair }) });
        else
          print(`node        ${status.name} (${status.version}, ${status.engine}) at ${url}
state       ${paint(status.ready ? 'ready' : 'not ready')}, up ${formatDuration(status.uptimeSeconds)}
storage     ${storage.state}, ${formatBytes(storage.freeBytes)} free, ${formatBytes(storage.reserveBytes)} in reserve
namespaces  ${status.namespaces}
${clusterLine(status.cluster)}${repairLine(repair)}${status.config ? configLines(status.config) : ''}`);
        const failed = status.checks.filter((check) => !check.ok);
        const reasons = failed.map((check) => `${check.name}: ${check.reason ?? 'fails'}`).join('; ');
        if (!status.ready) throw new CliError(EXIT.refused, `the node is not ready: ${reasons}`);
      });
    });
}

function repairLine(repair: RepairStatus | undefined): string {
  return repair === undefined ? '' : `repair      ${repairText(repair, Date.now())}\n`;
}

function clusterLine(cluster: NodeStatus['cluster']): string {
  if (cluster === undefined) return '';
  const { state, epoch, leader } = cluster;
  return `cluster     ${state}, epoch ${epoch}, ${leader === undefined ? 'no leader is known' : `led by ${leader}`}\n`;
}
