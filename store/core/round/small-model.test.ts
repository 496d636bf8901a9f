import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLinearizable, type Operation } from '../quorum/linearizable.ts';
import { compareVersions, type Version } from '../version/version.ts';
import { reader, stampedWriter, writer } from './dumb-clients.ts';
import { roundOf } from './dumb-rounds.ts';
import { nextWorlds } from './dumb-set.ts';
import {
  type Budget,
  type Client,
  DELETED_BEFORE,
  HINTED,
  isTombstone,
  keyOf,
  NO_VERSION,
  PUT_BEFORE,
  type Replica,
  type Rules,
  refusalKey,
  textOf,
  type World,
} from './dumb-world.ts';

/**
 * Every interleaving of clients, rounds, collection, exchanges, hints and repairs over one key of a small replica set. A
 * broken rule must be found: what goes wrong then is printed as the history of the clients.
 */
type Scenario = {
  readonly clients: readonly Client[];
  readonly rounds: readonly number[];
  /** What the replicas hold at the beginning. */
  readonly first: readonly (Version | undefined)[];
  /** What a reader sees of it. */
  readonly value: string;
  /** Values of writes from before the beginning whose outcome is unknown. */
  readonly unknown?: readonly string[];
  readonly budget?: Partial<Budget>;
  /** Up to where a round before has settled, as far as each replica has heard. */
  readonly watermarks?: readonly number[];
};

const WORLDS_MAX = 400_000;
const FLOOR = 4;
const NO_BUDGET: Budget = { losses: 0, exchanges: 0, hints: 0, unsynced: 0, crashes: 0 };

function begin({ clients, rounds, first, budget, watermarks }: Scenario): World {
  const members = first.map((_, index) => index + 1);
  const settledMs = Math.max(0, ...(watermarks ?? []));
  const replicas = first.map((durable, index): Replica => {
    const watermark = { ...NO_VERSION, wallMs: watermarks?.[index] ?? 0 };
    return { durable, unsynced: undefined, floor: { ...NO_VERSION, wallMs: settledMs }, watermark };
  });
  return {
    replicas,
    clients,
    rounds: rounds.map((floorMs, index) => roundOf(index + 1, floorMs, members)),
    parcels: [],
    budget: { ...NO_BUDGET, ...budget },
    mayBegin: true,
    // A client that runs from the beginning.
    history: clients.flatMap(({ state }, client) =>
      state === 'running' ? [{ client, event: 'began' as const }] : [],
    ),
  };
}

type Explored = {
  readonly worlds: number;
  readonly wrong: string | undefined;
  readonly isSettledSomewhere: boolean;
};

/** Visits each reachable world once, or stops at the first that is wrong. */
function explore(scenario: Scenario, broken: Partial<Rules> = {}): Explored {
  const rules = { kinds: scenario.clients.map(({ type }) => type), ...broken };
  const open: World[] = [begin(scenario)];
  const seen = new Set<string>();
  let isSettledSomewhere = false;
  for (let world = open.pop(); world !== undefined; world = open.pop()) {
    for (const next of nextWorlds(world, rules)) {
      const key = keyOf(next);
      if (seen.has(key)) continue;
      seen.add(key);
      isSettledSomewhere ||= next.rounds.some(({ round }) => round.isSettled);
      const wrong = wrongWith(scenario, rules, world, next);
      if (wrong !== undefined) return { worlds: seen.size, wrong, isSettledSomewhere };
      assert.ok(seen.size < WORLDS_MAX, 'the scenario is too large to be searched');
      open.push(next);
    }
  }
  return { worlds: seen.size, wrong: undefined, isSettledSomewhere };
}

function wrongWith(scenario: Scenario, rules: Rules, before: World, world: World): string | undefined {
  const told = () => JSON.stringify(world.history);
  if (world.history !== before.history) {
    if (!isLinearizable(operationsOf(scenario, rules, world), scenario.value))
      return `not linearizable: ${told()}`;
    if (isToldDeleted(world)) return `a read answered what it was told is deleted: ${told()}`;
  }
  if (rules.broken !== undefined) return undefined;
  for (const { floor, watermark } of world.replicas)
    if (compareVersions(floor, watermark) < 0) return 'a floor is below its watermark';
  return isSealedDifference(rules, world) ? `a live record is sealed on some: ${keyOf(world)}` : undefined;
}

/** The read that ended now was told that what it answers was deleted, and that the deletion is forgotten. */
function isToldDeleted({ clients, history }: World): boolean {
  const last = history.at(-1);
  const client = clients[last?.client ?? -1];
  if (last?.event !== 'ended' || client?.type !== 'get') return false;
  return client.sent.includes(refusalKey(client.read));
}

/** "A differing live record below the watermark is an error": where no rule is broken there is none. */
function isSealedDifference(rules: Rules, { replicas }: World): boolean {
  return replicas.some(({ durable }) => {
    if (durable === undefined || isTombstone(rules, durable)) return false;
    return replicas.some((other) => {
      if (compareVersions(durable, other.watermark) > 0) return false;
      return other.durable === undefined || compareVersions(other.durable, durable) < 0;
    });
  });
}

function operationsOf(
  { unknown = [] }: Scenario,
  rules: Rules,
  { clients, history }: World,
): readonly Operation[] {
  const operations = clients.flatMap((client, index): Operation[] => {
    const at = (event: 'began' | 'ended') =>
      history.findIndex((one) => one.client === index && one.event === event);
    const beganAt = at('began');
    const ended = history[at('ended')];
    const endedAt = ended === undefined ? undefined : at('ended');
    if (beganAt < 0) return [];
    if (client.type === 'get')
      return ended ? [{ type: 'read', value: ended.value ?? '', beganAt, endedAt }] : [];
    const { version } = client.write;
    return version ? [{ type: 'write', value: textOf(rules, version), beganAt, endedAt }] : [];
  });
  return [
    ...operations,
    ...unknown.map((value): Operation => ({ type: 'write', value, beganAt: -1, endedAt: undefined })),
  ];
}

const NONE = undefined;
const PUT = PUT_BEFORE;
const DELETED = DELETED_BEFORE;
const VALUE = textOf({ kinds: [] }, PUT);
const MISSED = { first: [DELETED, DELETED, PUT], value: '', rounds: [FLOOR] } as const;

const scenarios = {
  'D11: a delete that one replica missed, two reads': {
    ...MISSED,
    clients: [reader([3, 1, 2]), reader([2, 3, 1])],
  },
  'a delete that one replica missed, rounds that overlap': {
    ...MISSED,
    rounds: [FLOOR, FLOOR + 2],
    clients: [reader([3, 1, 2])],
  },
  // palantir/cassandra#705, CASSANDRA-20071
  'D13: what an exchange read before its deletion comes late': {
    clients: [stampedWriter('delete', 0, [1, 2, 3]), reader([3, 1, 2])],
    rounds: [FLOOR],
    first: [PUT, PUT, NONE],
    value: VALUE,
    budget: { exchanges: 1 },
  },
  'a delete under way': {
    clients: [stampedWriter('delete', 0, [1, 2, 3]), reader([3, 1, 2])],
    rounds: [FLOOR],
    first: [PUT, PUT, PUT],
    value: VALUE,
    budget: { losses: 1 },
  },
  'D14: a put again after a delete, while a round runs': {
    clients: [writer('put', [1, 2, 3]), reader([2, 3, 1])],
    rounds: [FLOOR],
    first: [DELETED, DELETED, DELETED],
    value: '',
  },
  'D12: a hint, two reads': {
    clients: [reader([1, 2, 3]), reader([3, 1, 2])],
    rounds: [FLOOR],
    first: [NONE, NONE, NONE],
    value: '',
    unknown: [textOf({ kinds: [] }, HINTED)],
    budget: { hints: 1 },
  },
  'a put that only one replica holds, and a delete': {
    clients: [stampedWriter('delete', 0, [2, 3, 1]), reader([1, 2, 3])],
    rounds: [FLOOR],
    first: [PUT, NONE, NONE],
    value: '',
    unknown: [VALUE],
  },
  'two replicas': {
    clients: [writer('delete', [1, 2]), stampedWriter('put', 1, [2, 1]), reader([1, 2])],
    rounds: [FLOOR],
    first: [PUT, PUT],
    value: VALUE,
  },
  'a put that is not synced yet, and crashes': {
    clients: [writer('put', [1, 2, 3]), reader([3, 1, 2])],
    rounds: [FLOOR],
    first: [PUT, PUT, NONE],
    value: VALUE,
    budget: { unsynced: 2, crashes: 2 },
  },
  'a put under way, not synced everywhere': {
    clients: [stampedWriter('put', 0, [1, 2, 3]), reader([3, 1, 2]), reader([1, 2, 3])],
    rounds: [FLOOR],
    first: [NONE, NONE, NONE],
    value: '',
    budget: { unsynced: 1 },
  },
} as const satisfies Record<string, Scenario>;

for (const [name, scenario] of Object.entries(scenarios)) {
  test(`small model: ${name}: linearizable, nothing deleted returns, nothing sealed differs`, (t) => {
    const { worlds, wrong, isSettledSomewhere } = explore(scenario);
    t.diagnostic(`${worlds} worlds`);
    assert.equal(wrong, undefined);
    assert.ok(isSettledSomewhere && worlds > 1000, `only ${worlds} worlds were reached`);
  });
}

const mutants: readonly (readonly [Partial<Rules>, keyof typeof scenarios])[] = [
  [{ broken: 'watermark without floor' }, 'a put under way, not synced everywhere'],
  [{ broken: 'collection above the watermark' }, 'D11: a delete that one replica missed, two reads'],
  [{ broken: 'newest below the floor, or newer' }, 'a put that is not synced yet, and crashes'],
  [{ seesUnsynced: true }, 'a put that is not synced yet, and crashes'],
  [{ broken: 'floor confirmed before what it covers is durable' }, 'a put under way, not synced everywhere'],
  [{ broken: 'refused write-back counts as held' }, 'a put that only one replica holds, and a delete'],
  [{ broken: 'hint accepted below the floor' }, 'D12: a hint, two reads'],
  [
    { broken: 'parcels accepted below the watermark' },
    'D13: what an exchange read before its deletion comes late',
  ],
];

for (const [rules, name] of mutants) {
  test(`small model: ${rules.broken ?? 'a comparison over what is not durable'} is found by: ${name}`, (t) => {
    const { wrong, worlds } = explore(scenarios[name], rules);
    t.diagnostic(`${worlds} worlds: ${wrong}`);
    assert.notEqual(wrong, undefined);
  });
}

// What is not ignored would be offered to those that have collected it, and refused, in each round to come.
test('small model: one replica that has not collected does not stop the rounds; if nothing is ignored, it does', () => {
  const late: Scenario = {
    clients: [],
    rounds: [FLOOR + 2],
    first: [NONE, NONE, DELETED],
    value: '',
    watermarks: [FLOOR, FLOOR, 0],
  };
  assert.equal(explore(late).isSettledSomewhere, true);
  assert.equal(explore(late, { broken: 'nothing collected is ignored' }).isSettledSomewhere, false);
});
