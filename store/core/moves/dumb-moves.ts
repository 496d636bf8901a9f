import type { MoveCommand } from '../topology/command.ts';

/**
 * For tests: the steps of moves a second time, as dumb as can be. Quorums are found by trying all subsets of a set, a move is a bag
 * of facts that are never dropped, and a stage is what the facts say.
 */
type Facts = {
  session: number;
  stage: 'joint' | 'transfer' | 'switch';
  to: number[];
  /** `enter 4`, `confirm transfer 1`, `synced 4 1`. */
  said: Set<string>;
  sources: number[];
};
export type DumbPartition = { replicas: number[]; epoch: number; facts?: Facts };
export type DumbWorld = {
  readonly epoch: number;
  readonly partitions: DumbPartition[];
  isMember(number: number): boolean;
  /** Up, and not draining. */
  mayEnter(number: number): boolean;
};

/** 'applied COUNT', 'unchanged 0' or a code. */
export function dumbMoves(world: DumbWorld, command: MoveCommand): string {
  const numbers = command.moves.map(({ partition }) => partition);
  if (numbers.some((number, index) => numbers.indexOf(number) !== index)) return 'BAD_MOVE';
  const verdicts = command.moves.map(({ partition: number }, index): string => {
    const partition = world.partitions[number];
    if (partition === undefined) return 'BAD_MOVE';
    if (partition.epoch !== command.moves[index]?.epoch) return 'EPOCH_CHANGED';
    if (command.type === 'move-start') return dumbStart(world, partition, command, index);
    return dumbStep(world, partition, command, index);
  });
  const applied = verdicts.filter((verdict) => verdict === 'applied').length;
  if (applied > 0) return `applied ${applied}`;
  return verdicts.find((verdict) => verdict !== 'unchanged') ?? 'unchanged 0';
}

type Later = Exclude<MoveCommand, { type: 'move-start' }>;
function dumbStep(world: DumbWorld, partition: DumbPartition, command: Later, index: number): string {
  const { facts, replicas: from } = partition;
  if (facts === undefined || facts.session !== command.moves[index]?.session) return 'EPOCH_CHANGED';
  const { stage, to } = facts;
  const raise = (next: Facts['stage']): string => {
    facts.stage = next;
    partition.epoch = world.epoch + 1;
    return 'applied';
  };
  const say = (...some: string[]): string => {
    const before = facts.said.size;
    for (const fact of some) facts.said.add(fact);
    return facts.said.size > before ? 'applied' : 'unchanged';
  };
  const end = (replicas: number[]): string => {
    partition.replicas = replicas;
    partition.epoch = world.epoch + 1;
    delete partition.facts;
    return 'applied';
  };
  switch (command.type) {
    case 'move-enter':
      if (stage !== 'joint') return 'MOVE_NOT_READY';
      if (from.includes(command.member) || !to.includes(command.member)) return 'BAD_MOVE';
      return say(`enter ${command.member}`);
    case 'move-advance':
      if (stage !== 'joint') return 'MOVE_NOT_READY';
      if (to.some((member) => !from.includes(member) && !facts.said.has(`enter ${member}`)))
        return 'MOVE_NOT_READY';
      if (!to.every((member) => world.isMember(member))) return 'MOVE_NOT_READY';
      return raise('transfer');
    case 'move-confirm':
      if (!from.includes(command.member) || stage === 'joint') return 'BAD_MOVE';
      return say(`confirm ${stage} ${command.member}`);
    case 'move-sources': {
      if (stage !== 'transfer') return 'MOVE_NOT_READY';
      const sources = command.moves[index]?.sources ?? [];
      if (sources.some((source) => !facts.said.has(`confirm transfer ${source}`))) return 'MOVE_NOT_READY';
      if (!meetsEveryQuorum(from, sources)) return 'MOVE_NOT_READY';
      const isSame = from.every((member) => sources.includes(member) === facts.sources.includes(member));
      facts.sources = [...sources];
      return isSame ? 'unchanged' : 'applied';
    }
    case 'move-synced': {
      if (stage !== 'transfer') return 'MOVE_NOT_READY';
      if (!to.includes(command.member)) return 'BAD_MOVE';
      const sources = command.moves[index]?.sources ?? [];
      if (sources.some((source) => !facts.sources.includes(source))) return 'MOVE_NOT_READY';
      const others = sources.filter((source) => source !== command.member);
      return say(...others.map((source) => `synced ${command.member} ${source}`));
    }
    case 'move-switch':
      if (stage !== 'transfer' || facts.sources.length === 0) return 'MOVE_NOT_READY';
      if (!to.every((member) => world.isMember(member))) return 'MOVE_NOT_READY';
      for (const member of to)
        for (const source of facts.sources)
          if (member !== source && !facts.said.has(`synced ${member} ${source}`)) return 'MOVE_NOT_READY';
      return raise('switch');
    case 'move-done': {
      if (stage !== 'switch') return 'MOVE_NOT_READY';
      const confirmed = from.filter((member) => facts.said.has(`confirm switch ${member}`));
      return meetsEveryQuorum(from, confirmed) ? end(to) : 'MOVE_NOT_READY';
    }
    case 'move-cancel':
      return stage === 'switch' ? 'MOVE_SWITCHED' : end(from);
  }
}

function dumbStart(
  world: DumbWorld,
  partition: DumbPartition,
  command: Extract<MoveCommand, { type: 'move-start' }>,
  index: number,
): string {
  if (partition.facts !== undefined) return 'PARTITION_MOVING';
  const to = [...(command.moves[index]?.to ?? [])];
  if (to.join() === partition.replicas.join()) return 'unchanged';
  const isSound =
    to.length === command.replicationFactor &&
    to.every((member, at) => to.indexOf(member) === at && world.isMember(member)) &&
    to.every((member) => partition.replicas.includes(member) || world.mayEnter(member));
  if (!isSound) return 'BAD_PLACEMENT';
  partition.epoch = world.epoch + 1;
  partition.facts = { session: partition.epoch, stage: 'joint', to, said: new Set(), sources: [] };
  return 'applied';
}

/** Whether `some` has a member in common with every set of more than half of `all`. */
export function meetsEveryQuorum(all: readonly number[], some: readonly number[]): boolean {
  return subsetsOf(all)
    .filter((subset) => subset.length * 2 > all.length)
    .every((subset) => subset.some((member) => some.includes(member)));
}

export function subsetsOf<T>(all: readonly T[]): readonly (readonly T[])[] {
  const isIn = (subset: number, index: number) => Math.floor(subset / 2 ** index) % 2 === 1;
  return Array.from({ length: 2 ** all.length }, (_, subset) =>
    all.filter((_one, index) => isIn(subset, index)),
  );
}

/** The partition in the form of the state, for comparison. */
export function partitionOf({ replicas, epoch, facts }: DumbPartition): object {
  if (facts === undefined) return { replicas, epoch };
  const { session, stage, to, said, sources } = facts;
  const who = (members: readonly number[], what: string) =>
    sorted(members.filter((member) => said.has(`${what} ${member}`)));
  const synced = sorted(to)
    .map((member) => ({ member, sources: who(replicas, `synced ${member}`) }))
    .filter((one) => one.sources.length > 0);
  const confirmed = who(replicas, `confirm ${stage}`);
  switch (stage) {
    case 'joint':
      return { replicas, epoch, move: { session, to, stage, entered: who(to, 'enter') } };
    case 'transfer':
      return { replicas, epoch, move: { session, to, stage, confirmed, sources: sorted(sources), synced } };
    case 'switch':
      return { replicas, epoch, move: { session, to, stage, confirmed } };
  }
}

const sorted = (members: readonly number[]) => [...members].sort((a, b) => a - b);
