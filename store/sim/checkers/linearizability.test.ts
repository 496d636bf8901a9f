import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findAnomaly, requireLinearizable } from './linearizability.ts';
import { isLinearizableBySearch } from './linearizability-search.ts';
import type { RegisterOperation } from './register-operation.ts';
import { Violation } from './violation.ts';

/** What is drawn of an operation: which kind, which value, when. */
type Drawn = {
  readonly kind: 'put' | 'delete' | 'read' | 'absent';
  readonly value: number;
  readonly from: number;
  readonly span: number;
  readonly fate: 'answered' | 'unknown' | 'refused';
};

const drawn = (horizon: number): fc.Arbitrary<Drawn> =>
  fc.record({
    kind: fc.constantFrom('put', 'delete', 'read', 'absent'),
    value: fc.nat(3),
    from: fc.nat(horizon),
    span: fc.nat(Math.ceil(horizon / 3)),
    fate: fc.constantFrom('answered', 'answered', 'answered', 'unknown', 'refused'),
  });

/** A history of unique values; reads mostly name values that are put. */
function historyOf(all: readonly Drawn[]): RegisterOperation[] {
  let puts = 0;
  return all.map((each) => {
    const times = { by: 'n1', beganAt: each.from, endedAt: each.from + each.span };
    if (each.kind === 'read') return { ...times, type: 'read', value: `v${each.value}` };
    if (each.kind === 'absent') return { ...times, type: 'read', value: undefined };
    const write = {
      ...{ by: 'n1', beganAt: each.from, isRefused: each.fate === 'refused' },
      endedAt: each.fate === 'unknown' ? undefined : each.from + each.span,
    };
    return each.kind === 'put'
      ? { ...write, type: 'put', value: `v${puts++}` }
      : { ...write, type: 'delete' };
  });
}

const agree = (history: readonly RegisterOperation[]): boolean => {
  const expected = isLinearizableBySearch(history);
  assert.equal(findAnomaly(history) === undefined, expected, JSON.stringify(history, undefined, 1));
  return expected;
};

test('findAnomaly says what trying every order says, on histories of any kind', (t) => {
  let linearizable = 0;
  const horizons = [6, 12, 24, 60];
  for (const horizon of horizons)
    fc.assert(
      fc.property(fc.array(drawn(horizon), { maxLength: 9 }), (all) => {
        linearizable += agree(historyOf(all)) ? 1 : 0;
      }),
      { numRuns: 5000 },
    );
  t.diagnostic(`${linearizable} of ${5000 * horizons.length} were linearizable`);
});

/** Reads of nothing, deletes and puts that nobody read: what zones do not decide. */
test('findAnomaly says what trying every order says, where it is about deletes', (t) => {
  let linearizable = 0;
  const about = (horizon: number): fc.Arbitrary<Drawn> =>
    drawn(horizon).filter(({ kind, fate }) => kind !== 'read' && fate !== 'refused');
  for (const horizon of [8, 16, 32, 64])
    fc.assert(
      fc.property(fc.array(about(horizon), { minLength: 4, maxLength: 11 }), (all) => {
        linearizable += agree(historyOf(all)) ? 1 : 0;
      }),
      { numRuns: 6000 },
    );
  t.diagnostic(`${linearizable} of 24000 were linearizable`);
});

/** What a register would do: each operation at a point of its own, then its interval drawn around it. */
const execution = fc.array(
  fc.record({
    kind: fc.constantFrom('put', 'delete', 'read', 'read'),
    early: fc.nat(15),
    late: fc.nat(15),
    fate: fc.constantFrom('answered', 'answered', 'answered', 'unknown', 'never'),
  }),
  { maxLength: 12 },
);

type Step = {
  readonly kind: string;
  readonly early: number;
  readonly late: number;
  readonly fate: string;
};

function execute(steps: readonly Step[]): RegisterOperation[] {
  let state: string | undefined;
  return steps.map(({ kind, early, late, fate }, i): RegisterOperation => {
    const at = 10 * i;
    const times = { by: 'n1', beganAt: at - early, endedAt: at + late };
    if (kind === 'read') return { ...times, type: 'read', value: state };
    const value = `v${i}`;
    if (fate !== 'never') state = kind === 'put' ? value : undefined;
    const write = { ...times, endedAt: fate === 'answered' ? times.endedAt : undefined };
    return kind === 'put' ? { ...write, type: 'put', value } : { ...write, type: 'delete' };
  });
}

test('findAnomaly accepts what a register does, and says what trying every order says of it with one read changed', (t) => {
  let broken = 0;
  fc.assert(
    fc.property(execution, fc.nat(), fc.nat(), (steps, which, other) => {
      const history = execute(steps);
      assert.equal(findAnomaly(history), undefined);
      const reads = history.filter(({ type }) => type === 'read');
      const read = reads[which % reads.length];
      if (read === undefined || read.type !== 'read') return;
      const { value } = reads[other % reads.length] as { value: string | undefined };
      const changed = history.with(history.indexOf(read), { ...read, value });
      broken += agree(changed) ? 0 : 1;
    }),
    { numRuns: 10_000 },
  );
  t.diagnostic(`${broken} were broken by the change`);
  assert.ok(broken > 500);
});

test('what is shown of an anomaly is one by itself, and is short', () => {
  fc.assert(
    fc.property(fc.array(drawn(24), { maxLength: 12 }), (all) => {
      const anomaly = findAnomaly(historyOf(all));
      if (anomaly === undefined) return;
      assert.equal(isLinearizableBySearch(anomaly.operations), false);
      assert.ok(anomaly.operations.length <= 7 || anomaly.problem.includes('no delete'));
    }),
    { numRuns: 5000 },
  );
});

const at = (beganAt: number, endedAt: number) => ({ by: 'n1', beganAt, endedAt });

test('requireLinearizable shows the operations that matter', () => {
  const history: RegisterOperation[] = [
    { ...at(0, 1), type: 'put', value: 'a' },
    { ...at(2, 3), type: 'read', value: 'a' },
    { ...at(4, 5), type: 'put', value: 'b' },
    { ...at(6, 7), type: 'read', value: 'b' },
    { ...at(8, 9), type: 'read', value: 'b' },
    { ...at(10, 11), type: 'read', value: 'a' },
  ];
  const expected = [
    'key k: a and b must both have been there at one time; of 6 operations these cannot be put in order:',
    '    [0.000 .. 1.000] n1: put a',
    '    [4.000 .. 5.000] n1: put b',
    '    [8.000 .. 9.000] n1: read b',
    '    [10.000 .. 11.000] n1: read a',
  ].join('\n');
  assert.throws(
    () => requireLinearizable('k', history),
    (error) => error instanceof Violation && error.message === expected,
  );
});

test('requireLinearizable shows which deletes cannot explain a read of nothing', () => {
  const history: RegisterOperation[] = [
    { ...at(0, 1), type: 'delete' },
    { ...at(2, 3), type: 'put', value: 'a' },
    { ...at(4, 5), type: 'read', value: 'a' },
    { ...at(4, 9), type: 'delete' },
    { ...at(6, 7), type: 'read', value: undefined },
    { ...at(10, 11), type: 'put', value: 'b' },
    { ...at(12, 13), type: 'read', value: undefined },
  ];
  const expected = [
    'key k: nothing was read, and no delete that is left over can come between that and the puts before it; of 7 operations these cannot be put in order:',
    '    [10.000 .. 11.000] n1: put b',
    '    [12.000 .. 13.000] n1: read nothing',
  ].join('\n');
  assert.throws(
    () => requireLinearizable('k', history),
    (error) => error instanceof Violation && error.message === expected,
  );
});

/** Clients that overlap by a dozen operations, with deletes and unknown outcomes. */
function longHistory(length: number): RegisterOperation[] {
  let drawn = 7;
  const below = (limit: number): number => {
    drawn = (Math.imul(drawn, 1_103_515_245) + 12_345) >>> 0;
    return (drawn >>> 8) % limit;
  };
  const steps = Array.from({ length }, () => ({
    kind: ['put', 'put', 'delete', 'read', 'read', 'read'][below(6)] as string,
    early: below(120),
    late: below(120),
    fate: ['answered', 'answered', 'answered', 'unknown', 'never'][below(5)] as string,
  }));
  return execute(steps);
}

test('100,000 operations on one key take less than two seconds, and so does what is wrong with them', (t) => {
  const history = longHistory(100_000);
  const startMs = performance.now();
  assert.equal(findAnomaly(history), undefined);
  const middleMs = performance.now();
  const last = history.findLastIndex(({ type }) => type === 'read');
  const stale = history.find((each) => each.type === 'read' && each.value !== undefined) as RegisterOperation;
  const { beganAt } = history[last] as RegisterOperation;
  const broken = history.with(last, { ...stale, beganAt, endedAt: beganAt + 1 } as RegisterOperation);
  assert.ok(findAnomaly(broken) !== undefined);
  const endMs = performance.now();
  t.diagnostic(`${Math.round(middleMs - startMs)} ms, ${Math.round(endMs - middleMs)} ms`);
  assert.ok(middleMs - startMs < 2000 && endMs - middleMs < 2000);
});
