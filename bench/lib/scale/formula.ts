import type { Kind } from '../budget/resp-load.ts';
import type { Costs } from './costs.ts';
import { PARTITIONS, REPLICAS, replicaSetsOf, type ScaleOptions } from './simulate.ts';

/** What the formula says, of an operation where nothing else is said. */
export type OnPaper = {
  readonly perNode: number;
  readonly messages: number;
  readonly frames: number;
  readonly mainMicros: number;
  /** Of the fullest node over the mean, by whole partitions. */
  readonly imbalance: number;
};

/** Turns of main threads that an operation passes through one after the other. */
const TURNS: Readonly<Record<Kind, number>> = { puts: 6, gets: 3 };
/** Of three replicas. */
const QUORUM = 2;

/**
 * Throughput of a node with a core for its main thread, as far as paper goes:
 *
 *     T = (1 - background) / (cost of an operation * imbalance)
 *     cost = client + coordinator + messages * m + frames * f + replicas' work + groups * g
 *
 * The coordinator is itself a replica with probability p = min(1, 3 / N), or always where clients know the owners. A turn of a node gives out
 * M = C * messages / turns messages in a closed loop of C clients a node, to D others: D * (1 - (1 - 1/D)^M) frames, as balls fall into
 * bins. D is N - 1 where clients ask any node, so that each message comes to have a frame of its own as N grows; where they ask owners, a node speaks
 * only with those with whom it shares partitions, one of the two being the primary. The fullest node has whole partitions, and whole primaries.
 */
export function onPaper(options: ScaleOptions, costs: Costs): OnPaper {
  const { nodes, kind, clientsPerNode, background } = options;
  const own = options.routing === 'owner' ? 1 : Math.min(1, REPLICAS / nodes);
  const messages = messagesOf(kind, own);
  const turns = TURNS[kind];
  const sets = replicaSetsOf(nodes);
  const others = options.routing === 'owner' ? partnersOf(sets, nodes) : nodes - 1;
  const perTurn = (clientsPerNode * messages) / turns;
  const framesPerTurn = others * (1 - (1 - 1 / others) ** perTurn);
  const frames = Math.min(messages, (framesPerTurn * turns) / clientsPerNode);
  const mainMicros =
    costs.clientMicros[kind] +
    costs.coordinateMicros[kind] +
    messages * costs.messageMicros +
    frames * costs.frameMicros +
    replicaMicros(kind, clientsPerNode, costs);
  const imbalance = imbalanceOf(nodes);
  const idle = ((background.leaderMicros - background.otherMicros) / nodes + background.otherMicros) / 1e6;
  return { perNode: ((1 - idle) * 1e6) / (mainMicros * imbalance), messages, frames, mainMicros, imbalance };
}

/** Requests and answers for an operation, where the coordinator is a replica with probability `own`. */
export function messagesOf(kind: Kind, own: number): number {
  const asks = QUORUM - own;
  const stores = kind === 'puts' ? REPLICAS - own : 0;
  return 2 * (asks + stores);
}

/** A node is given whole partitions: the ideal rounded up. */
export function imbalanceOf(nodes: number): number {
  const ideal = (PARTITIONS * REPLICAS) / nodes;
  return Math.ceil(ideal - 1e-9) / ideal;
}

/** Members with whom one shares a partition of which it or the other one is the primary, on average. */
export function partnersOf(sets: readonly (readonly number[])[], nodes: number): number {
  const pairs = new Set<string>();
  for (const [primary, ...others] of sets)
    for (const other of others) pairs.add(`${primary} ${other}`).add(`${other} ${primary}`);
  return pairs.size / nodes;
}

/** A group is written in each turn that stores something. */
function replicaMicros(kind: Kind, clients: number, costs: Costs): number {
  const perPiece = costs.replicaMicros[kind];
  if (kind === 'gets') return QUORUM * perPiece;
  const groupsPerTurn = 1 - Math.exp((-clients * REPLICAS) / TURNS.puts);
  const groups = Math.min(REPLICAS, (groupsPerTurn * TURNS.puts) / clients);
  return (QUORUM + REPLICAS) * perPiece + groups * costs.groupMicros;
}
