/** One operation on a register with unique values. A write without an end has an unknown outcome. */
export type Operation = {
  readonly type: 'read' | 'write';
  readonly value: string;
  readonly beganAt: number;
  readonly endedAt: number | undefined;
};

/**
 * Whether some order of the operations explains what they saw: each takes effect between its begin and its end, and a read
 * sees the write before it, or `''` where there is none. A plain search, for a handful of operations.
 */
export function isLinearizable(operations: readonly Operation[], value = ''): boolean {
  if (operations.every(({ endedAt }) => endedAt === undefined)) return true;
  const firstEnd = Math.min(...operations.map(({ endedAt }) => endedAt ?? Number.POSITIVE_INFINITY));
  return operations.some((next, index) => {
    if (next.beganAt > firstEnd || (next.type === 'read' && next.value !== value)) return false;
    return isLinearizable(operations.toSpliced(index, 1), next.value);
  });
}
