import type { RegisterOperation } from './register-operation.ts';

/** Runs of `fails` at most; what is left then is shown as it is. */
const RUNS_MAX = 300;

/**
 * A small part of `history` for which `fails` still holds (delta debugging, Zeller 1999). A value is left out with all of
 * its reads. Deletes stay, but for those that ended before everything that is left, or began after it.
 */
export function minimiseHistory(
  history: readonly RegisterOperation[],
  fails: (history: readonly RegisterOperation[]) => boolean,
): readonly RegisterOperation[] {
  const deletes = history.filter(({ type }) => type === 'delete');
  const groups = [...groupsOf(history)];
  const rest = (left: readonly RegisterOperation[][]) => [...left.flat(), ...deletes];
  let runs = 0;
  const stillFails = (left: readonly RegisterOperation[][]) => runs++ < RUNS_MAX && fails(rest(left));
  const values = leaveOut(groups, stillFails);
  // Of the values that are left, the reads but the put.
  let least = values;
  for (const [i, group] of values.entries()) {
    const puts = group.filter(({ type }) => type === 'put');
    const reads = group.filter(({ type }) => type === 'read').map((read) => [read]);
    const others = least.toSpliced(i, 1);
    const needed = leaveOut(reads, (left) => stillFails([...others, [...puts, ...left.flat()]]));
    least = least.with(i, [...puts, ...needed.flat()]);
  }
  return withNearDeletes(least.flat(), deletes);
}

/** Operations that can be left out together: a put with its reads; each read of nothing. */
function groupsOf(history: readonly RegisterOperation[]): Iterable<RegisterOperation[]> {
  const groups = new Map<string | RegisterOperation, RegisterOperation[]>();
  for (const operation of history) {
    if (operation.type === 'delete') continue;
    const name = operation.value ?? operation;
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [operation]);
    else group.push(operation);
  }
  return groups.values();
}

/** Leaves out runs of items, of half of all to one at a time. */
function leaveOut<Item>(items: readonly Item[], fails: (left: readonly Item[]) => boolean): readonly Item[] {
  let left = items;
  for (let size = Math.ceil(left.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2))
    for (let from = 0; from < left.length; ) {
      const shorter = left.toSpliced(from, size);
      if (fails(shorter)) left = shorter;
      else from += size;
    }
  return left;
}

function withNearDeletes(
  operations: readonly RegisterOperation[],
  deletes: readonly RegisterOperation[],
): readonly RegisterOperation[] {
  const from = Math.min(...operations.map(({ beganAt }) => beganAt));
  const to = Math.max(...operations.map(({ beganAt, endedAt }) => endedAt ?? beganAt));
  const near = deletes.filter(
    ({ beganAt, endedAt }) => beganAt <= to && (endedAt ?? Number.POSITIVE_INFINITY) >= from,
  );
  return [...operations, ...near];
}
