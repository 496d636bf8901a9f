import type { MemberId } from '../raft/types.ts';

/** A member that votes, or could. */
export type Candidate = {
  readonly member: MemberId;
  readonly zone: string;
  readonly isVoter: boolean;
  readonly isAlive: boolean;
  /** Down for so long that its vote should go to another. */
  readonly isGone: boolean;
  /** Must be chosen. */
  readonly isPinned: boolean;
};

export type ChoiceOptions = {
  /** How many to choose. */
  readonly count: number;
  /** How many of them must be alive. */
  readonly liveMin: number;
};

/** The best choice so far of `size` members of which `down` are not alive. */
type Choice = {
  readonly size: number;
  readonly down: number;
  readonly cost: number;
  readonly members: readonly MemberId[];
};

/** Counts are below 10 and squares below 100 (a group votes with at most 9), so one number orders by all of them. */
const COSTS = { gone: 1e4, square: 1e2, promotion: 1e1, down: 1 } as const;

/**
 * The best voters, sorted: first the fewest that are gone, then the best spread over zones (the least sum of squares,
 * which is the most zones too: a vote moved from a zone of several to a zone without one lowers it), then the fewest
 * changes, then the fewest that are down. Undefined where there are none.
 *
 * Exact: all but the bound on the dead adds up zone by zone, so it is enough to keep, for each size and number of
 * dead, the best choice among the zones seen so far (dynamic programming as for a knapsack).
 */
export function chooseVoters(
  { count, liveMin }: ChoiceOptions,
  candidates: readonly Candidate[],
): readonly MemberId[] | undefined {
  const zones = Map.groupBy(
    candidates.toSorted((a, b) => b.member - a.member),
    ({ zone }) => zone,
  );
  let best = new Map([[0, { size: 0, down: 0, cost: 0, members: [] } as Choice]]);
  for (const zone of zones.values()) best = extend(best, selectionsOf(zone, count), { count, liveMin });
  const complete = [...best.values()].filter(({ size }) => size === count);
  if (count === 0 || complete.length === 0) return undefined;
  const cheapest = complete.reduce((least, choice) => (choice.cost < least.cost ? choice : least));
  return cheapest.members.toSorted((a, b) => a - b);
}

/**
 * Adds a zone. At equal cost more of the later zone wins, which has the lower numbers: seniority, so that ties are
 * no accident.
 */
function extend(
  choices: ReadonlyMap<number, Choice>,
  selections: readonly (readonly Candidate[])[],
  { count, liveMin }: ChoiceOptions,
): Map<number, Choice> {
  const best = new Map<number, Choice>();
  for (const selection of selections.toSorted((a, b) => a.length - b.length)) {
    for (const choice of choices.values()) {
      const size = choice.size + selection.length;
      const down = choice.down + selection.filter(({ isAlive }) => !isAlive).length;
      if (size > count || down > count - liveMin) continue;
      const key = size * 10 + down;
      const cost = choice.cost + costOf(selection);
      if (cost > (best.get(key)?.cost ?? Number.POSITIVE_INFINITY)) continue;
      best.set(key, {
        size,
        down,
        cost,
        members: [...choice.members, ...selection.map((each) => each.member)],
      });
    }
  }
  return best;
}

/** What can be chosen of one zone. Among members that cost the same only the lowest numbers are of interest. */
function selectionsOf(zone: readonly Candidate[], count: number): readonly (readonly Candidate[])[] {
  const alike = Map.groupBy(zone.toReversed(), ({ isVoter, isAlive, isGone, isPinned }) =>
    [isVoter, isAlive, isGone, isPinned].join(),
  );
  let selections: readonly (readonly Candidate[])[] = [[]];
  for (const group of alike.values()) {
    const sizes = Array.from({ length: Math.min(group.length, count) + 1 }, (_, size) => size);
    selections = selections.flatMap((selection) =>
      sizes
        .filter((size) => selection.length + size <= count && (size > 0 || group[0]?.isPinned !== true))
        .map((size) => [...selection, ...group.slice(0, size)]),
    );
  }
  return selections;
}

function costOf(selection: readonly Candidate[]): number {
  const gone = selection.filter(({ isGone }) => isGone).length;
  const promotions = selection.filter(({ isVoter }) => !isVoter).length;
  const down = selection.filter(({ isAlive }) => !isAlive).length;
  const squares = selection.length ** 2 * COSTS.square;
  return gone * COSTS.gone + squares + promotions * COSTS.promotion + down * COSTS.down;
}
