import type { RegisterOperation } from './register-operation.ts';

/**
 * The dumb version, for a handful of operations (at most 30): tries every order that real time allows (Wing, Gong 1993,
 * "Testing and Verifying Concurrent Objects"), and never the same rest in the same state twice.
 */
export function isLinearizableBySearch(history: readonly RegisterOperation[]): boolean {
  const operations = history.filter((each) => each.type === 'read' || each.isRefused !== true);
  const mustHappen = maskWhere(operations, ({ endedAt }) => endedAt !== undefined);
  const seen = new Set<string>();
  const search = (left: number, state: string | undefined): boolean => {
    if ((left & mustHappen) === 0) return true;
    const place = `${left} ${state}`;
    if (seen.has(place)) return false;
    seen.add(place);
    const firstEnd = Math.min(
      ...operations.map(({ endedAt }, i) => (isIn(left, i) ? endOf(endedAt) : FOREVER)),
    );
    return operations.some((next, i) => {
      if (!isIn(left, i) || next.beganAt > firstEnd) return false;
      if (next.type === 'read' && next.value !== state) return false;
      return search(left & ~(1 << i), stateAfter(next, state));
    });
  };
  return search(
    maskWhere(operations, () => true),
    undefined,
  );
}

const FOREVER = Number.POSITIVE_INFINITY;
const endOf = (endedAt: number | undefined): number => endedAt ?? FOREVER;
const isIn = (mask: number, index: number): boolean => (mask & (1 << index)) !== 0;

function maskWhere(
  operations: readonly RegisterOperation[],
  holds: (operation: RegisterOperation) => boolean,
): number {
  return operations.reduce((mask, operation, i) => (holds(operation) ? mask | (1 << i) : mask), 0);
}

function stateAfter(operation: RegisterOperation, state: string | undefined): string | undefined {
  switch (operation.type) {
    case 'put':
      return operation.value;
    case 'delete':
      return undefined;
    case 'read':
      return state;
  }
}
