import { SETTINGS } from '../../store/config/settings.ts';
import { voterCount } from '../../store/core/topology/voters.ts';
import type { Observation } from './observe.ts';

export type Verdict = { readonly isWell: boolean; readonly text: string };

/** One line about the whole: well where every node is a member of one cluster, at one epoch, and its quorum is whole. */
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
  return observations.flatMap(({ node, pid, status }) => {
    if (pid === undefined) return [`${node.name} is down`];
    if (status === undefined) return [`${node.name} does not answer`];
    if (status.node.state === 'member') return [];
    const reason = status.node.reason === undefined ? '' : ` (${status.node.reason})`;
    return [`${node.name} is ${status.node.state}${reason}`];
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

function inBrackets(reason: string | undefined): string {
  return reason === undefined ? '' : ` (${reason})`;
}
