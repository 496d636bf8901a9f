import { KvorumClient, type Topology } from '@kvorum/client';
import { LOCAL_NODES_MAX, LOCAL_ROOT, localNodes, readPid } from './local-node.ts';
import { ScaleRun } from './scale-run.ts';
import { Turn } from './take-over.ts';

const EXIT_USAGE = 2;
const EXIT_INTERRUPTED = 130;
const ANSWER_TIMEOUT_MS = 5000;

/**
 * `scale N`: takes the local cluster that runs to N nodes. Up: the nodes that are missing are started and take their share of the
 * data. Down: those with the highest numbers are drained, removed, stopped, and their directories deleted. Interrupted, or
 * overtaken by another `scale`, it leaves a cluster that the next one goes on from.
 */
export async function scale(args: readonly string[]): Promise<number> {
  const target = Number(args[0]);
  const refusal = refusalOfArguments(args) ?? refusalOfCluster(target, await readTopology());
  if (refusal !== undefined) {
    process.stderr.write(`scale: ${refusal}\n`);
    return EXIT_USAGE;
  }
  using turn = await Turn.take();
  if (turn === undefined) {
    process.stderr.write('scale: the one that runs does not end: stop it, and try again\n');
    return 1;
  }
  const interrupted = new AbortController();
  process.once('SIGINT', () => interrupted.abort());
  process.once('SIGTERM', () => interrupted.abort());
  await using run = new ScaleRun(target);
  const ending = await run.toTheEnd(() => interrupted.signal.aborted || !turn.isMine);
  if (ending === 'left') {
    const why = interrupted.signal.aborted ? 'interrupted' : 'another ./dev.sh scale goes on from here';
    process.stderr.write(`scale: ${why}; drains and moves go on. ./dev.sh scale N goes on to any N\n`);
    return EXIT_INTERRUPTED;
  }
  return ending === 'done' ? 0 : 1;
}

export function refusalOfArguments(args: readonly string[]): string | undefined {
  const [text = ''] = args;
  const allowed = `a number of nodes from 1 to ${LOCAL_NODES_MAX}`;
  if (args.length !== 1) return `give ${allowed}, as in ./dev.sh scale 5`;
  if (!/^\d+$/.test(text) || Number(text) < 1)
    return `'${text}' is not ${allowed}: give one, as in ./dev.sh scale 5`;
  if (Number(text) > LOCAL_NODES_MAX)
    return `${text} nodes are more than a local cluster may have (LOCAL_NODES_MAX, ${LOCAL_NODES_MAX}): give ${allowed}`;
  return undefined;
}

/** `topology`: undefined where no node answers. */
export function refusalOfCluster(
  target: number,
  topology: Pick<Topology, 'settings'> | undefined,
): string | undefined {
  if (topology === undefined)
    return `no node of a local cluster in ${LOCAL_ROOT} answers: ./dev.sh up ${target} starts one, ./dev.sh status shows what is there`;
  const { replicationFactor } = topology.settings;
  if (target >= replicationFactor) return undefined;
  return `each key of this cluster lives on ${replicationFactor} nodes (replicationFactor), so it needs at least as many: ./dev.sh scale ${replicationFactor} is the smallest. For fewer, make another cluster: ./dev.sh clean, ./dev.sh up ${target}`;
}

/** As the first node that answers has it. */
async function readTopology(): Promise<Topology | undefined> {
  const url = localNodes()
    .filter((node) => readPid(node) !== undefined)
    .map((node) => node.url);
  if (url.length === 0) return undefined;
  await using client = new KvorumClient({ url, timeoutMs: ANSWER_TIMEOUT_MS });
  const topology = await client.topology({ consistency: 'local' }).catch(() => undefined);
  return topology?.clusterId === '' ? undefined : topology;
}
