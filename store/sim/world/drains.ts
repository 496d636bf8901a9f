import type { Prng } from '../../core/prng/prng.ts';
import type { RequestedWant, TopologyCommand } from '../../core/topology/command.ts';
import type { TopologyState } from '../../core/topology/types.ts';
import { pick } from './pick.ts';
import type { SimWorld } from './world.ts';

/** Now and then somebody asks for an operation, or cancels one, so that partitions move while everything else goes on. */
export function startDrains(world: SimWorld, everyMs: number, prng: Prng): void {
  const next = (): void => {
    if (world.isCalm) return;
    drain(world, prng);
    world.later(prng.unit() * 2 * everyMs, next);
  };
  world.later(prng.unit() * 2 * everyMs, next);
}

function drain(world: SimWorld, prng: Prng): void {
  const asked = pick(
    world.machines.filter(({ node }) => node !== undefined),
    prng,
  );
  const member = asked?.node?.internals.member;
  const state = member?.topology.state;
  if (asked === undefined || member === undefined || state === undefined) return;
  const target = pick([...state.members.values()], prng);
  if (target === undefined) return;
  const command = drawCommand(state, target.number, prng);
  world.trace.note(`${asked.name}: ${JSON.stringify(command)}`);
  member.calls.propose(command, new AbortController().signal).catch(() => {});
}

function drawCommand(state: TopologyState, member: number, prng: Prng): TopologyCommand {
  const running = state.operations.filter((operation) => operation.state === 'running');
  const cancelled = pick(running, prng);
  if (cancelled !== undefined && prng.below(2) === 0)
    return { type: 'operation-cancel', id: cancelled.id, atMs: 0 };
  const want = drawWant(state, member, prng);
  return { type: 'operation-start', want, isForced: false, by: 'somebody', atMs: 0, partitions: 0 };
}

function drawWant({ settings }: TopologyState, member: number, prng: Prng): RequestedWant {
  switch (prng.below(8)) {
    case 0:
      return { type: 'rebalance' };
    case 1:
      return { type: 'factor', replicationFactor: 1 + prng.below(settings.replicationFactor + 1) };
    case 2:
      return { type: 'replace', member };
    default:
      return { type: 'drain', member };
  }
}
