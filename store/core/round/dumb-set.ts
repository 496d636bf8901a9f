import { clientSteps } from './dumb-clients.ts';
import { roundSteps } from './dumb-rounds.ts';
import {
  above,
  deliver,
  HINTED,
  holds,
  isTombstone,
  type Replica,
  type Rules,
  type World,
  withReplica,
} from './dumb-world.ts';

/** Every world that one step leads to. */
export function nextWorlds(world: World, rules: Rules): readonly World[] {
  return [
    ...world.clients.flatMap((client, index) => clientSteps(world, rules, client, index)),
    ...world.rounds.flatMap((run, index) => roundSteps(world, rules, run, index)),
    ...world.replicas.flatMap((replica, index) => diskSteps(world, rules, replica, index)),
    ...parcelSteps(world, rules),
    ...hintSteps(world, rules),
  ];
}

function parcelSteps(world: World, rules: Rules): readonly World[] {
  const delivered = world.parcels.map((parcel, index) =>
    deliver({ ...world, parcels: world.parcels.toSpliced(index, 1) }, rules, parcel),
  );
  return world.budget.exchanges > 0 ? [...delivered, ...loaded(world)] : delivered;
}

/** An exchange has read a record of one replica for another that lacks it. */
function loaded(world: World): readonly World[] {
  const budget = { ...world.budget, exchanges: world.budget.exchanges - 1 };
  return world.replicas.flatMap(({ durable: version, watermark: sourceWatermark }) => {
    if (version === undefined) return [];
    const lacking = world.replicas.flatMap((other, to) => (holds(other, version) ? [] : [to]));
    return lacking.map((to): World => {
      const parcel = { origin: 'exchange' as const, version, sourceWatermark, to };
      return { ...world, budget, parcels: [...world.parcels, parcel] };
    });
  });
}

/** A coordinator's hint reaches a replica, whenever the write has ended without its word. */
function hintSteps(world: World, rules: Rules): readonly World[] {
  if (world.budget.hints === 0) return [];
  const budget = { ...world.budget, hints: world.budget.hints - 1 };
  return world.replicas.flatMap((replica, to) => {
    const isOpen = above(HINTED, replica.floor) || rules.broken === 'hint accepted below the floor';
    if (holds(replica, HINTED) || !isOpen) return [];
    return [withReplica({ ...world, budget }, to, { ...replica, durable: HINTED })];
  });
}

function diskSteps(world: World, rules: Rules, replica: Replica, index: number): readonly World[] {
  const { durable, unsynced, watermark } = replica;
  const steps: World[] = [];
  const isDue =
    durable !== undefined &&
    (!above(durable, watermark) || rules.broken === 'collection above the watermark');
  if (isDue && isTombstone(rules, durable))
    steps.push(withReplica(world, index, { ...replica, durable: undefined }));
  if (unsynced === undefined) return steps;
  const synced = above(unsynced, durable) ? unsynced : durable;
  steps.push(withReplica(world, index, { ...replica, durable: synced, unsynced: undefined }));
  const { crashes } = world.budget;
  if (crashes > 0) {
    const crashed = withReplica(world, index, { ...replica, unsynced: undefined });
    steps.push({ ...crashed, budget: { ...world.budget, crashes: crashes - 1 } });
  }
  return steps;
}
