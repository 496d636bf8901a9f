import type { Prng } from '../../core/prng/prng.ts';
import type { TopologyState } from '../../core/topology/types.ts';
import { pick } from './pick.ts';
import type { SimWorld } from './world.ts';

/** Now and then somebody drains a member, or changes his mind, so that partitions move while everything else goes on. */
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
  const type = isDraining(state) && prng.below(3) > 0 ? 'drain-cancel' : 'drain-start';
  const number = type === 'drain-start' ? target.number : (drainingOf(state) ?? target.number);
  const command =
    type === 'drain-start'
      ? ({ type, member: number, expectedEpoch: undefined } as const)
      : ({ type, member: number } as const);
  world.trace.note(`${asked.name}: ${type} of member ${number}`);
  member.calls.propose(command, new AbortController().signal).catch(() => {});
}

const drainingOf = ({ members }: TopologyState): number | undefined =>
  [...members.values()].find(({ isDraining }) => isDraining)?.number;
const isDraining = (state: TopologyState): boolean => drainingOf(state) !== undefined;
