import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type Change,
  configurationOf,
  enterChange,
  leaveJoint,
  NO_CONFIGURATION,
} from '../raft/configuration.ts';
import { isQuorum } from '../raft/quorum.ts';
import type { Configuration, MemberId } from '../raft/types.ts';
import type { Member } from './types.ts';
import { planConfiguration, type VoterInput, voterCount } from './voters.ts';

const REPLACE_AFTER_MS = 1000;
const options = (votersMax: number) => ({ votersMax, replaceAfterMs: REPLACE_AFTER_MS });

type World = {
  /** By member. */
  readonly zones: Readonly<Record<number, string>>;
  readonly downForMs: Readonly<Record<number, number>>;
  readonly behind: readonly number[];
  readonly waiting: readonly number[];
};
const calm: World = { zones: {}, downForMs: {}, behind: [], waiting: [] };

function inputOf(
  self: number,
  configuration: Configuration,
  members: readonly number[],
  world: World,
): VoterInput {
  const asMember = (number: number): Member => ({
    ...{ number, name: `n${number}`, directoryId: `d${number}`, weight: 1, incarnation: 1, life: 'l' },
    ...{ peerAddress: 'h:1', httpAddress: 'h:2', version: '1', zone: world.zones[number] ?? '' },
    state: world.waiting.includes(number) ? 'waiting' : 'up',
    isDraining: false,
    zoneReplaced: undefined,
  });
  return {
    self,
    configuration,
    members: new Map(members.map((number) => [number, asMember(number)])),
    downForMs: (member) => world.downForMs[member] ?? 0,
    isCaughtUp: (member) => !world.behind.includes(member),
  };
}

/** `add-learner 4, promote 3` */
function plan(
  [voters, learners]: readonly [number[], number[]],
  members: readonly number[],
  world: Partial<World> = {},
  more: { readonly votersMax?: number; readonly self?: number } = {},
): string {
  const input = inputOf(more.self ?? 1, configurationOf(voters, learners), members, { ...calm, ...world });
  const changes = planConfiguration(options(more.votersMax ?? 5), input);
  return changes.map(({ type, member }) => `${type} ${member}`).join(', ');
}

test('members that started become learners; those that wait do not', () => {
  assert.equal(plan([[1], []], [1, 2, 3], { waiting: [3] }), 'add-learner 2');
});

test('a learner is promoted once it has caught up and is alive', () => {
  assert.equal(plan([[1], [2, 3]], [1, 2, 3], { behind: [2, 3] }), '');
  assert.equal(plan([[1], [2, 3]], [1, 2, 3], { downForMs: { 2: 1, 3: 1 } }), '');
  assert.equal(plan([[1], [2, 3]], [1, 2, 3]), 'promote 2, promote 3');
});

test('the number of voters is odd, but two of two', () => {
  const counts = [1, 2, 3, 4, 5, 6, 7].map((members) => voterCount(members, 5));
  assert.deepEqual(counts, [1, 2, 3, 3, 5, 5, 5]);
  assert.equal(voterCount(9, 4), 3);
  assert.equal(plan([[1], [2]], [1, 2]), 'promote 2');
  assert.equal(plan([[1, 2, 3], [4]], [1, 2, 3, 4]), '');
  assert.equal(plan([[1, 2, 3, 4], []], [1, 2, 3, 4]), 'demote 4');
});

test('voters are spread over zones, also by moving a vote; seniority decides the rest', () => {
  const zones = { 1: 'a', 2: 'a', 3: 'b', 4: 'c', 5: 'c' };
  assert.equal(
    plan([[1], [2, 3, 4, 5]], [1, 2, 3, 4, 5], { zones }, { votersMax: 3 }),
    'promote 3, promote 4',
  );
  assert.equal(plan([[1, 2, 3], [4]], [1, 2, 3, 4], { zones }, { votersMax: 3 }), 'promote 4, demote 2');
  assert.equal(plan([[1], [2, 3, 4, 5]], [1, 2, 3, 4, 5], {}, { votersMax: 3 }), 'promote 2, promote 3');
});

test('a voter loses its vote only after the named time, and only to a learner that can take it', () => {
  const four: [number[], number[]] = [[1, 2, 3], [4]];
  const down = (ms: number) => ({ downForMs: { 3: ms } });
  assert.equal(plan(four, [1, 2, 3, 4], down(REPLACE_AFTER_MS)), '');
  assert.equal(plan(four, [1, 2, 3, 4], down(REPLACE_AFTER_MS + 1)), 'promote 4, demote 3');
  assert.equal(plan(four, [1, 2, 3, 4], { ...down(5000), behind: [4] }), '');
  assert.equal(plan([[1, 2, 3], []], [1, 2, 3], down(5000)), '');
});

test('a removed voter leaves, and a learner takes its place in the same step', () => {
  assert.equal(plan([[1, 2, 3], []], [1, 2]), 'remove 3');
  assert.equal(plan([[1, 2, 3], [4]], [1, 2, 4]), 'promote 4, remove 3');
  assert.equal(plan([[1], [2]], [1]), 'remove 2');
});

test('a removed voter stays while the others could not decide without it', () => {
  assert.equal(plan([[1, 2, 3], []], [1, 2], { downForMs: { 2: 5000 } }), '');
});

test('a removed leader leaves last and alone, and only when the others can go on', () => {
  assert.equal(plan([[1, 2, 3], [4]], [2, 3, 4]), 'promote 4');
  assert.equal(plan([[1, 2, 3, 4], []], [2, 3, 4]), 'remove 1');
  assert.equal(plan([[1, 2], []], [2], { downForMs: { 2: 0 } }), 'remove 1');
  assert.equal(plan([[1, 2, 3], []], [2, 3], { downForMs: { 3: 1 } }), '');
});

test('nothing is planned in a joint configuration, nor without a majority that is alive', () => {
  const joint: Configuration = { ...NO_CONFIGURATION, voters: [1, 2], votersOutgoing: [1] };
  assert.deepEqual(planConfiguration(options(5), inputOf(1, joint, [1, 2, 3], calm)), []);
  assert.equal(plan([[1, 2, 3], []], [1, 2, 3, 4], { downForMs: { 2: 1, 3: 1 } }), '');
});

/** Random groups of up to 8 members in up to 4 zones; voters and members of the topology may differ. */
const numbers = [1, 2, 3, 4, 5, 6, 7, 8];
const some = fc.subarray(numbers);
const byMember = <T>(arbitrary: fc.Arbitrary<T>) =>
  fc.array(arbitrary, { minLength: 9, maxLength: 9 }).map((values) => ({ ...values }));
const worlds = fc.record({
  zones: byMember(fc.constantFrom('a', 'b', 'c', '')),
  downForMs: byMember(fc.constantFrom(0, 0, 0, 500, 5000)),
  behind: fc.subarray(numbers, { maxLength: 3 }),
  waiting: fc.constant([]),
});
const groups = fc.record({
  voters: fc.subarray(numbers, { minLength: 1, maxLength: 6 }),
  learners: some,
  members: some,
  votersMax: fc.integer({ min: 1, max: 7 }),
  world: worlds,
});

function begin({ voters, learners }: { voters: number[]; learners: number[] }): Configuration {
  const others = learners.filter((learner) => !voters.includes(learner));
  return configurationOf(voters, new Set(others));
}

function change(configuration: Configuration, changes: readonly Change[]): Configuration {
  const result = enterChange(configuration, changes);
  assert.ok(result.type === 'changed', JSON.stringify(result));
  return result.configuration;
}

/** Smaller is better, the first difference decides: by the definition, over a whole set of voters. */
function scoreOf(voters: readonly number[], before: readonly number[], input: VoterInput): number[] {
  const down = (member: number) => (member === input.self ? 0 : input.downForMs(member));
  const zones = Object.groupBy(voters, (member) => input.members.get(member)?.zone ?? '');
  const sizes = Object.values(zones).map((members) => members?.length ?? 0);
  return [
    voters.filter((member) => down(member) > REPLACE_AFTER_MS).length,
    -sizes.length,
    sizes.reduce((sum, size) => sum + size * size, 0),
    voters.filter((member) => !before.includes(member)).length,
    voters.filter((member) => down(member) > 0).length,
  ];
}

/** Every set that may be chosen, by trying all of them. */
function allChoices(votersMax: number, input: VoterInput): number[][] {
  const { configuration, members, self } = input;
  const isUp = (member: number) => member === self || input.downForMs(member) === 0;
  const able = numbers.filter((member) => {
    if (!members.has(member)) return false;
    if (configuration.voters.includes(member)) return true;
    return configuration.learners.includes(member) && isUp(member) && input.isCaughtUp(member);
  });
  const count = voterCount(able.length, votersMax);
  const subsets = Array.from({ length: 2 ** able.length }, (_, bits) =>
    able.filter((_, at) => bits & (1 << at)),
  );
  return subsets.filter(
    (set) =>
      set.length === count &&
      count > 0 &&
      set.filter(isUp).length > count / 2 &&
      (!members.has(self) || set.includes(self)),
  );
}

test('no set of voters is better than the planned one, by trying all', () => {
  let plans = 0;
  const property = fc.property(groups, ({ voters, learners, members, votersMax, world }) => {
    const configuration = begin({ voters, learners: [...learners, ...members] });
    const self = voters[0] as number;
    const kept = configuration.learners.filter((learner) => members.includes(learner));
    const input = inputOf(self, { ...configuration, learners: kept }, members, world);
    if (voters.filter((voter) => voter === self || world.downForMs[voter] === 0).length <= voters.length / 2)
      return;
    const after = votersAfter(input, votersMax).filter((voter) => voter !== self || members.includes(self));
    const choices = allChoices(votersMax, input);
    if (choices.length === 0) {
      assert.deepEqual(
        after,
        voters.filter((voter) => voter !== self || members.includes(self)),
      );
      return;
    }
    plans++;
    const scores = choices.map((choice) => scoreOf(choice, voters, input)).sort(compareScores);
    assert.deepEqual(scoreOf(after, voters, input), scores[0]);
  });
  fc.assert(property, { numRuns: 3000 });
  assert.ok(plans > 500, `${plans} plans`);
});

/** The voters after the planned changes; the removal of a leader by itself is not looked at. */
function votersAfter(input: VoterInput, votersMax: number): readonly number[] {
  const changes = planConfiguration(options(votersMax), input);
  if (changes.length === 0 || changes.some(({ member }) => member === input.self))
    return input.configuration.voters;
  return change(input.configuration, changes).voters;
}

function compareScores(a: number[], b: number[]): number {
  const at = a.findIndex((value, index) => value !== b[index]);
  return at === -1 ? 0 : (a[at] as number) - (b[at] as number);
}

test('plans end, and no configuration on the way lacks a majority that is alive', () => {
  fc.assert(
    fc.property(groups, ({ voters, learners, members, votersMax, world }) => {
      const isAliveAt = (self: number) => (member: MemberId) =>
        member === self || world.downForMs[member] === 0;
      let self = voters.find((voter) => world.downForMs[voter] === 0) ?? (voters[0] as number);
      let configuration = begin({ voters, learners });
      if (!isQuorum(configuration, isAliveAt(self))) return;
      for (let steps = 0; ; steps++) {
        assert.ok(steps <= 4, 'at most: learners, voters, the leader, and what its successor does');
        const changes = planConfiguration(options(votersMax), inputOf(self, configuration, members, world));
        if (changes.length === 0) break;
        const entered = change(configuration, changes);
        assert.ok(isQuorum(entered, isAliveAt(self)), JSON.stringify({ configuration, changes }));
        configuration = leaveJoint(entered);
        assert.ok(isQuorum(configuration, isAliveAt(self)));
        self = configuration.voters.includes(self)
          ? self
          : (configuration.voters.find(isAliveAt(0)) as number);
      }
      const strangers = configuration.learners.filter((learner) => !members.includes(learner));
      assert.deepEqual(strangers, []);
    }),
    { numRuns: 3000 },
  );
});

test('whatever fails and returns meanwhile, a change never needs more voters than are alive', () => {
  const steps = fc.array(fc.record({ members: some, world: worlds }), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(groups, steps, ({ voters, learners, votersMax }, turns) => {
      let configuration = begin({ voters, learners });
      for (const { members, world } of turns) {
        const isUp = (member: MemberId) => world.downForMs[member] === 0;
        const self = configuration.voters.find(isUp);
        if (self === undefined || !isQuorum(configuration, isUp)) continue;
        const changes = planConfiguration(options(votersMax), inputOf(self, configuration, members, world));
        if (changes.length === 0) continue;
        const entered = change(configuration, changes);
        assert.ok(isQuorum(entered, isUp), JSON.stringify({ configuration, changes }));
        configuration = leaveJoint(entered);
      }
    }),
    { numRuns: 1000 },
  );
});

test('a thousand members in a thousand zones, or in one, are planned at once', () => {
  const members = Array.from({ length: 1000 }, (_, index) => index + 1);
  const world = (zoneOf: (member: number) => string): World => ({
    ...calm,
    zones: Object.fromEntries(members.map((member) => [member, zoneOf(member)])),
  });
  for (const zoneOf of [(member: number) => `z${member}`, () => '']) {
    const input = inputOf(1, configurationOf([1], members.slice(1)), members, world(zoneOf));
    const changes = planConfiguration(options(9), input);
    assert.deepEqual(changes.map(({ member }) => member).sort(), [2, 3, 4, 5, 6, 7, 8, 9]);
  }
});
