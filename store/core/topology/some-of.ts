const SHOWN_MAX = 5;

/** The first few, for messages: `0, 1, 2, 3, 4, ...`. */
export function someOf(numbers: readonly number[]): string {
  const more = numbers.length > SHOWN_MAX ? ', ...' : '';
  return `${numbers.slice(0, SHOWN_MAX).join(', ')}${more}`;
}
