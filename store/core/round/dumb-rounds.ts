import type { MemberId } from '../raft/types.ts';
import type { Version } from '../version/version.ts';
import {
  above,
  carry,
  EPOCH,
  higher,
  NO_VERSION,
  type Replica,
  type RoundRun,
  type Rules,
  type World,
  withReplica,
  withRound,
} from './dumb-world.ts';
import { type Holding, judgeKey, type KeyVerdict } from './judge-key.ts';
import { comparedAll, hearRound, roundVerdict, startRound } from './round.ts';

export function roundOf(number: number, floorMs: number, members: readonly MemberId[]): RoundRun {
  const floor = { wallMs: floorMs, counter: 0, member: 0 };
  const id = { initiator: 1, incarnation: 1, number, floor };
  return { round: startRound(EPOCH, id, members), seen: new Map() };
}

export function roundSteps(world: World, rules: Rules, run: RoundRun, index: number): readonly World[] {
  const { round } = run;
  const verdict = roundVerdict(round);
  switch (verdict.type) {
    case 'floor':
      return verdict.members.flatMap((member) => confirm(world, rules, run, index, member));
    case 'compare':
      return compareSteps(world, rules, run, index);
    case 'settle':
      return verdict.members.map((member) => settle(world, run, index, member));
    default:
      return [];
  }
}

function confirm(
  world: World,
  rules: Rules,
  run: RoundRun,
  index: number,
  member: MemberId,
): readonly World[] {
  const { id } = run.round;
  const before = world.replicas[member - 1] as Replica;
  const isOpen = before.unsynced !== undefined && !above(before.unsynced, id.floor);
  if (isOpen && rules.broken !== 'floor confirmed before what it covers is durable') return [];
  const isRaised = rules.broken !== 'watermark without floor';
  const replica = isRaised ? { ...before, floor: higher(before.floor, id.floor) } : before;
  const answer = { member, epoch: EPOCH, round: id, stage: 'floor' as const };
  const round = hearRound(run.round, { ...answer, floor: id.floor, watermark: replica.watermark });
  return [withRound(withReplica(world, member - 1, replica), index, { ...run, round })];
}

/** One member after the other shows what it holds, each at any time; then the key is judged, and compared again if need be. */
function compareSteps(world: World, rules: Rules, run: RoundRun, index: number): readonly World[] {
  const { members } = run.round;
  const unseen = members.filter((member) => !run.seen.has(member));
  if (unseen.length > 0)
    return unseen.slice(0, 1).map((member) => {
      const seen = new Map(run.seen).set(member, holdingOf(rules, world.replicas[member - 1] as Replica));
      return withRound(world, index, { ...run, seen });
    });
  const verdict = judge(rules, run);
  if (verdict.type === 'settled')
    return [withRound(world, index, { round: comparedAll(run.round), seen: new Map() })];
  const source = world.replicas[verdict.from - 1] as Replica;
  const carried = verdict.to.map((member) => carry(world, rules, source, member - 1));
  return carried.map((next) => withRound(next, index, { ...run, seen: new Map() }));
}

function holdingOf({ seesUnsynced }: Rules, { durable, unsynced, watermark }: Replica): Holding {
  const isNewer = seesUnsynced === true && unsynced !== undefined && above(unsynced, durable);
  return { version: isNewer ? unsynced : durable, watermark };
}

function judge(rules: Rules, { round, seen }: RoundRun): KeyVerdict {
  const { floor } = round.id;
  if (rules.broken === 'nothing collected is ignored') {
    const never = [...seen].map(
      ([member, { version }]) => [member, { version, watermark: NO_VERSION }] as const,
    );
    return judgeKey(floor, new Map(never));
  }
  if (rules.broken !== 'newest below the floor, or newer') return judgeKey(floor, seen);
  const newest = [...seen.values()].reduce<Version | undefined>((most, { version }) => {
    return version !== undefined && !above(version, floor) && above(version, most) ? version : most;
  }, undefined);
  if (newest === undefined) return { type: 'settled' };
  const to = [...seen].filter(([, { version }]) => above(newest, version)).map(([member]) => member);
  const from = [...seen].find(([, { version }]) => version !== undefined && !above(newest, version))?.[0];
  return to.length === 0 || from === undefined
    ? { type: 'settled' }
    : { type: 'carry', version: newest, from, to };
}

function settle(world: World, run: RoundRun, index: number, member: MemberId): World {
  const { id } = run.round;
  const before = world.replicas[member - 1] as Replica;
  const floor = higher(before.floor, id.floor);
  const watermark = higher(before.watermark, id.floor);
  const answer = { member, epoch: EPOCH, round: id, stage: 'settled' as const, floor, watermark };
  const round = hearRound(run.round, answer);
  return withRound(withReplica(world, member - 1, { ...before, floor, watermark }), index, { ...run, round });
}
