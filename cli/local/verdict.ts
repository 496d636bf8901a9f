import { SETTINGS } from '../../store/config/settings.ts';
import { majority } from '../../store/core/quorum/quorum-sizes.ts';
import { voterCount } from '../../store/core/topology/voters.ts';
import type { DataPlacement, Observation } from './observe.ts';

export type Verdict = { readonly isWell: boolean; readonly text: string };

/** One line about the whole: well where all nodes are members of one cluster, at one epoch, with its quorum whole, and ready. */
export function verdictOf(observations: readonly Observation[]): Verdict {
  const problems = [...problemsOfNodes(observations), ...problemsOfCluster(observations)];
  const status = observations.find((each) => each.status !== undefined)?.status;
  if (problems.length > 0 || status === undefined) {
    return { isWell: false, text: `not well: ${problems.join('; ') || 'no node runs'}` };
  }
  const count = observations.length;
  const voters = status.quorum.voters.length;
  return {
    isWell: true,
    text: `ok: ${count} node${count === 1 ? '' : 's'}, ${voters} voter${voters === 1 ? '' : 's'}, leader ${status.leader?.name}, epoch ${status.epoch}`,
  };
}

function problemsOfNodes(observations: readonly Observation[]): string[] {
  const wrong = observations.flatMap(({ node, pid, status }) => {
    if (pid === undefined) return [`${node.name} is down`];
    if (status === undefined) return [`${node.name} does not answer`];
    if (status.node.state === 'member') return [];
    const reason = status.node.reason === undefined ? '' : ` (${status.node.reason})`;
    return [`${node.name} is ${status.node.state}${reason}`];
  });
  return [...wrong, ...problemsOfReadiness(observations)];
}

/** Each reason once, with the members that give it. */
function problemsOfReadiness(observations: readonly Observation[]): string[] {
  const names = new Map<string, string[]>();
  for (const { node, status, unready } of observations) {
    if (status?.node.state !== 'member') continue;
    for (const why of unready) names.set(why, [...(names.get(why) ?? []), node.name]);
  }
  return [...names].map(([why, who]) => {
    return `${who.join(', ')} ${who.length === 1 ? 'is' : 'are'} not ready (${why})`;
  });
}

function problemsOfCluster(observations: readonly Observation[]): string[] {
  const answers = observations.flatMap(({ status }) => (status === undefined ? [] : [status]));
  const problems: string[] = [];
  if (new Set(answers.map((status) => status.clusterId ?? '')).size > 1)
    problems.push('the nodes are of more than one cluster');
  const epochs = [...new Set(answers.map((status) => status.epoch))];
  if (epochs.length > 1) problems.push(`epochs differ (${epochs.toSorted((a, b) => a - b).join(', ')})`);
  const worst = answers.find(({ quorum }) => quorum.state !== 'ok');
  if (worst !== undefined) problems.push(`quorum ${worst.quorum.state}${inBrackets(worst.quorum.reason)}`);
  const leaders = new Set(answers.map((status) => status.leader?.name ?? ''));
  if (worst === undefined && (leaders.size > 1 || leaders.has('')))
    problems.push('the nodes do not agree on a leader yet');
  const wanted = voterCount(observations.length, SETTINGS['cluster.votersMax'].default);
  const voters = Math.min(wanted, ...answers.map(({ quorum }) => quorum.voters.length));
  if (voters < wanted) problems.push(`${voters} of ${wanted} voters so far`);
  const missing = answers.find(
    ({ members }) => members.total !== observations.length || members.alive !== members.total,
  );
  if (missing !== undefined)
    problems.push(
      `${missing.node.name} sees ${missing.members.alive} of ${missing.members.total} members alive`,
    );
  return problems;
}

/** Where each key lives, what its requests need, and who holds nothing so far. Nodes that join later do not change the factor. */
export function placementText({ replicationFactor, isPlaced, without }: DataPlacement): string {
  if (!isPlaced) return `data: replicationFactor ${replicationFactor}, not placed yet`;
  const quorum = majority(replicationFactor);
  const where =
    replicationFactor === 1
      ? 'each key lives on one node, and its requests need that node'
      : `each key lives on ${replicationFactor} nodes, and its requests need ${quorum} of them`;
  const idle =
    without.length === 0
      ? ''
      : `; no data on ${without.join(', ')} yet: ./dev.sh cli operations tells how far it is`;
  return `data: replicationFactor ${replicationFactor}: ${where}${idle}`;
}

function inBrackets(reason: string | undefined): string {
  return reason === undefined ? '' : ` (${reason})`;
}
