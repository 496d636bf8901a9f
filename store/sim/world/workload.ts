import type { ChangeResult, ClusterAdmin } from '../../cluster/cluster-admin.ts';
import { ClusterError } from '../../cluster/cluster-admin.ts';
import type { Prng } from '../../core/prng/prng.ts';
import type { TopologyState } from '../../core/topology/types.ts';
import type { Expectation } from '../checkers/client-history.ts';
import type { ClusterWatch } from '../checkers/cluster-watch.ts';
import { type DataOutcomes, noDataOutcomes } from './data-client.ts';
import type { Machine } from './machine.ts';
import { pick } from './pick.ts';
import type { SimWorld } from './world.ts';

/** What came of the operations of a run. */
export type Outcomes = {
  acknowledged: number;
  refused: number;
  unknown: number;
  reads: number;
  weights: number;
  readonly data: DataOutcomes;
};

export const noOutcomes = (): Outcomes => ({
  ...{ acknowledged: 0, refused: 0, unknown: 0, reads: 0, weights: 0 },
  data: noDataOutcomes(),
});

/** A client that asks `node` of some machine. */
export type Client = {
  readonly world: SimWorld;
  readonly prng: Prng;
  readonly machine: Machine;
  readonly admin: ClusterAdmin;
  readonly watch: ClusterWatch;
  /** What the client read last, to know whom to name. */
  readonly known: TopologyState | undefined;
  readonly outcomes: Outcomes;
};

type Operation = (client: Client) => Promise<void>;

/** With their weights. */
const OPERATIONS: readonly (readonly [number, Operation])[] = [
  [6, changeWeight],
  [4, createNamespace],
  [3, dropNamespace],
  [6, readLinearizable],
  [1, readLocal],
  [2, transfer],
  [1, removeMember],
];

const WEIGHT_SUM = OPERATIONS.reduce((sum, [weight]) => sum + weight, 0);
/** One for each request: a signal that outlived its run would keep the whole world of it in memory. */
const never = (): AbortSignal => new AbortController().signal;

/** Clients come one after the other for as long as the run is not calm, each with one operation. */
export function startWorkload(world: SimWorld, everyMs: number, prng: Prng): Outcomes {
  const outcomes = noOutcomes();
  const next = (): void => {
    if (world.isCalm) return;
    operate(world, prng, outcomes);
    world.later(prng.unit() * 2 * everyMs, next);
  };
  world.later(prng.unit() * everyMs, next);
  return outcomes;
}

function operate(world: SimWorld, prng: Prng, outcomes: Outcomes): void {
  const machine = pick(
    world.machines.filter(({ node }) => node !== undefined),
    prng,
  );
  const client = machine && clientOf(world, machine, prng, outcomes);
  if (client === undefined) return;
  let left = prng.below(WEIGHT_SUM);
  for (const [weight, operation] of OPERATIONS) {
    left -= weight;
    if (left >= 0) continue;
    operation(client).catch((error: unknown) => world.fail(error));
    return;
  }
}

function clientOf(world: SimWorld, machine: Machine, prng: Prng, outcomes: Outcomes): Client | undefined {
  const { node, log } = machine;
  if (node === undefined || log.identity === undefined || machine.isRolledBack) return undefined;
  const watch = world.watchOf(log.identity.clusterId);
  const known = watch.history.state;
  return { world, prng, machine, admin: node.cluster, watch, known, outcomes };
}

/** Has `ask` done, and holds the cluster to what it answers. */
export async function change(
  { watch, world, machine, outcomes }: Client,
  expectation: Expectation,
  ask: () => Promise<ChangeResult>,
): Promise<'acknowledged' | 'refused' | 'unknown'> {
  const { life } = machine;
  let outcome: 'acknowledged' | 'refused' | 'unknown' = 'unknown';
  let said = '';
  try {
    const result = await ask();
    // What a dead process would have said nobody heard.
    if (life?.process.isAlive === true) {
      outcome = 'acknowledged';
      world.observe();
      world.guard(() => watch.clients.acknowledged(expectation, result));
    }
  } catch (error) {
    if (!(error instanceof ClusterError)) {
      if (life?.process.isAlive === true) throw error;
    } else if (error.code !== 'OUTCOME_UNKNOWN') outcome = 'refused';
    said = String(error);
  }
  outcomes[outcome] += 1;
  if (outcome === 'refused') watch.clients.refused(expectation);
  world.trace.note(`${machine.name}: ${expectation.text}: ${outcome}`, () => said);
  return outcome;
}

async function changeWeight(client: Client): Promise<void> {
  const member = pick([...(client.known?.members.values() ?? [])], client.prng);
  if (member === undefined) return;
  const weight = nextWeight(client.outcomes);
  const isDone = ({ members }: TopologyState): boolean =>
    [...members.values()].some((each) => each.weight === weight);
  const holds = (state: TopologyState, subject: number): boolean =>
    state.members.get(subject as typeof member.number)?.weight === weight;
  await change(client, { text: `weight of ${member.name} = ${weight}`, holds, isDone }, () =>
    client.admin.updateMember(member.name, { weight }, never()),
  );
}

/** Each weight is asked for once, so that it tells which change was done; 100 is what members begin with. */
function nextWeight(outcomes: Outcomes): number {
  outcomes.weights += 1;
  return 101 + (outcomes.weights % 900);
}

async function createNamespace(client: Client): Promise<void> {
  const name = `space-${client.prng.below(5)}`;
  const holds = (state: TopologyState, subject: number): boolean =>
    state.namespaces.get(name)?.id === subject;
  await change(client, { text: `create ${name}`, holds }, () => client.admin.createNamespace(name, never()));
}

async function dropNamespace(client: Client): Promise<void> {
  const found = pick([...(client.known?.namespaces.values() ?? [])], client.prng);
  if (found === undefined) return;
  const { name, id } = found;
  const holds = (state: TopologyState): boolean => state.namespaces.get(name)?.id !== id;
  await change(client, { text: `drop ${name} ${id}`, holds }, () =>
    client.admin.dropNamespace(name, id, never()),
  );
}

/** Only where the others can do without it: what a removal may take with it is not the simulator's to judge. */
async function removeMember(client: Client): Promise<void> {
  const { world, machine, prng, known } = client;
  const victim = pick([...(known?.members.values() ?? [])], prng);
  const clusterId = machine.log.identity?.clusterId;
  if (victim === undefined || clusterId === undefined || (known?.members.size ?? 0) < 2) return;
  if (!world.hasQuorums(clusterId, victim.number)) return;
  const key = `${clusterId} ${victim.name} ${victim.number}`;
  world.leaving.add(key);
  const holds = (state: TopologyState): boolean => !state.members.has(victim.number);
  const outcome = await change(client, { text: `remove ${victim.name}`, holds }, () =>
    client.admin.removeMember(victim.name, never()),
  );
  if (outcome === 'refused') world.leaving.delete(key);
}

async function transfer({ known, prng, admin, machine, world }: Client): Promise<void> {
  const to = prng.below(2) === 0 ? undefined : pick([...(known?.members.values() ?? [])], prng)?.name;
  try {
    await admin.transferLeadership(to, never());
    world.trace.note(`${machine.name}: leadership was handed over`);
  } catch (error) {
    if (!(error instanceof ClusterError) && machine.node?.cluster === admin) throw error;
  }
}

async function readLinearizable({ admin, machine, watch, world, outcomes }: Client): Promise<void> {
  const before = watch.clients.seen;
  const { life } = machine;
  try {
    const state = await admin.readTopology('linearizable', never());
    if (life?.process.isAlive !== true) return;
    outcomes.reads += 1;
    world.observe();
    world.guard(() => watch.clients.read(machine.name, state, before));
  } catch (error) {
    if (!(error instanceof ClusterError) && life?.process.isAlive === true) throw error;
  }
}

async function readLocal({ machine, world }: Client): Promise<void> {
  world.lookAt(machine);
}
