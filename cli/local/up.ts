import { readFileSync } from 'node:fs';
import {
  LOCAL_NODES_MAX,
  LOCAL_ROOT,
  type LocalNode,
  localNodes,
  nodesUpTo,
  readPid,
  waitFor,
} from './local-node.ts';
import { type Observation, observe, observePlacement } from './observe.ts';
import { startLocalNode } from './start-local-node.ts';
import { placementText, verdictOf } from './verdict.ts';

const COUNT_DEFAULT = 3;
const DEADLINE_MS = 30_000;
const DEADLINE_PER_NODE_MS = 3000;
/** Whoever is no member, or not ready, after this time is shown with what it waits for. */
const PATIENCE_MS = 3000;

/**
 * `up [N]`: starts what does not run of N nodes and waits until they are one cluster and all are ready: the partitions are
 * placed. Each keeps its ports and its directory, so that the same call brings back a node that died. More nodes than
 * before join.
 */
export async function up(args: readonly string[]): Promise<number> {
  const existing = localNodes();
  const count = args[0] === undefined ? existing.length || COUNT_DEFAULT : Number(args[0]);
  const refusal = refusalOf(count, args, existing.length);
  if (refusal !== undefined) {
    process.stderr.write(`up: ${refusal}\n`);
    return 2;
  }
  const nodes = nodesUpTo(count);
  const down = nodes.filter((node) => readPid(node) === undefined);
  const ended = down.map((node) => ({ node, exit: startLocalNode(node, nodes) }));
  const startedAt = performance.now();
  const last = await follow(nodes, () => ended.some(({ exit }) => exit.code !== undefined), startedAt);
  const failed = ended.find(({ exit }) => exit.code !== undefined);
  if (failed !== undefined) return explain(failed.node, `ended with code ${failed.exit.code}`);
  const verdict = verdictOf(last);
  if (!verdict.isWell) {
    process.stderr.write(`up: ${verdict.text}\nlook at ./dev.sh status and ./dev.sh logs\n`);
    return 1;
  }
  report(last, down.length, verdict.text, startedAt);
  const placement = await observePlacement(last);
  if (placement !== undefined) process.stdout.write(`${placementText(placement)}\n`);
  return 0;
}

function refusalOf(count: number, args: readonly string[], existing: number): string | undefined {
  if (args.length > 1 || !Number.isInteger(count) || count < 1 || count > LOCAL_NODES_MAX)
    return `'${args.join(' ')}' is not a number of nodes from 1 to ${LOCAL_NODES_MAX}`;
  if (count < existing)
    return `there are ${existing} nodes in ${LOCAL_ROOT}, and ${count} are asked for; ./dev.sh scale ${count} moves the data and takes the others out, ./dev.sh up ${existing} starts all of them`;
  return undefined;
}

/** Prints a line whenever something changed, until all is well, a node ended or time is up. */
async function follow(
  nodes: readonly LocalNode[],
  hasEnded: () => boolean,
  startedAt: number,
): Promise<readonly Observation[]> {
  let last: readonly Observation[] = [];
  let printed = '';
  await waitFor(DEADLINE_MS + nodes.length * DEADLINE_PER_NODE_MS, async () => {
    if (hasEnded()) return true;
    last = await observe(nodes);
    const isWell = verdictOf(last).isWell;
    const line = progressOf(last, { withReasons: performance.now() - startedAt > PATIENCE_MS });
    if (line !== printed && !isWell) process.stderr.write(`${seconds(startedAt)}  ${line}\n`);
    printed = line;
    return isWell;
  });
  return last;
}

/** `starting: kvorum-1, joining: kvorum-2`; where all are members, what is left to wait for. */
function progressOf(
  observations: readonly Observation[],
  { withReasons }: { readonly withReasons: boolean },
): string {
  const states = ['starting', 'waiting', 'joining', 'member', 'excluded'] as const;
  const counts = states.flatMap((state) => {
    const names = observations
      .filter(({ status }) => (status?.node.state ?? 'starting') === state)
      .map(({ node, status }) =>
        withReasons && status?.node.reason ? `${node.name} (${status.node.reason})` : node.name,
      );
    return names.length > 0 ? [`${state}: ${names.join(' ')}`] : [];
  });
  return counts.length === 1 && counts[0]?.startsWith('member')
    ? verdictOf(observations).text.replace('not well: ', '')
    : counts.join(', ');
}

function report(
  observations: readonly Observation[],
  started: number,
  verdict: string,
  startedAt: number,
): void {
  const what = started === 0 ? 'already up' : `up in ${seconds(startedAt).trim()}`;
  const urls = observations.map(({ node }) => node.url);
  process.stdout.write(`${what}: ${verdict.replace('ok: ', '')} (data and logs in ${LOCAL_ROOT})\n`);
  process.stdout.write(`${urls.join('  ')}\n`);
}

function explain(node: LocalNode, what: string): number {
  const tail = readFileSync(node.logFile, 'utf8').split('\n').slice(-12).join('\n');
  process.stderr.write(`up: ${node.name} ${what}; the end of ${node.logFile}:\n${tail}\n`);
  return 1;
}

function seconds(startedAt: number): string {
  return `${((performance.now() - startedAt) / 1000).toFixed(1).padStart(5)} s`;
}
