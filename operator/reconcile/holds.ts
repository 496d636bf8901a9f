/**
 * Whether an object still says what was applied to it. What the API server and others added beside it does not count, in lists neither: an apply would not
 * take that away, and would be repeated for ever. What is empty need not be there, for the API server leaves it out.
 */
export function holds(applied: unknown, there: unknown): boolean {
  if (applied === undefined || applied === null) return true;
  if (isEmpty(applied) && (there === undefined || there === null)) return true;
  if (Array.isArray(applied))
    return Array.isArray(there) && applied.every((each) => there.some((other) => holds(each, other)));
  if (typeof applied !== 'object') return applied === there;
  if (typeof there !== 'object' || there === null) return false;
  const fields = there as Readonly<Record<string, unknown>>;
  return Object.entries(applied).every(([name, value]) => holds(value, fields[name]));
}

function isEmpty(value: unknown): boolean {
  return value === '' || (typeof value === 'object' && value !== null && Object.keys(value).length === 0);
}
