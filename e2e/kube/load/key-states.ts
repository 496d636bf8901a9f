import type { LoadLine } from './load-lines.ts';

/** What the lines of a load say of one key, whose writes are numbered from 1. */
export type KeyState = {
  /** The last write that was acknowledged, 0 where none was. */
  readonly acknowledged: number;
  /** The last one that has a line, whatever became of it. */
  readonly told: number;
};

export function keyStatesOf(lines: readonly LoadLine[]): ReadonlyMap<string, KeyState> {
  const states = new Map<string, KeyState>();
  for (const { op, key, n, outcome } of lines) {
    if (op !== 'put') continue;
    const { acknowledged, told } = states.get(key) ?? { acknowledged: 0, told: 0 };
    const isAcknowledged = outcome === 'acknowledged';
    states.set(key, {
      acknowledged: isAcknowledged ? Math.max(acknowledged, n) : acknowledged,
      told: Math.max(told, n),
    });
  }
  return states;
}

/**
 * Why `value` (undefined: nothing was found) cannot be what is there, after all of the load; undefined where it can. The write behind the
 * last one with a line may be there: it was under way when the load was stopped.
 */
export function problemOf(
  key: string,
  value: string | undefined,
  { acknowledged, told }: KeyState,
): string | undefined {
  const text = `write ${acknowledged} of ${key} was acknowledged, ${told} told of last`;
  if (value === undefined) return acknowledged === 0 ? undefined : `nothing is there; ${text}`;
  const n = Number(/#(\d+) v*$/.exec(value)?.[1]);
  const isIts = value.startsWith(`${key}#`) && n >= acknowledged && n <= told + 1;
  return isIts ? undefined : `${JSON.stringify(value.slice(0, 80))} is there; ${text}`;
}
