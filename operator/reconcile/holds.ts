import { quantityOf } from './quantity.ts';

/**
 * Whether an object still says what was applied to it. What the API server and others added beside it does not count, in lists of objects neither: an
 * apply would not take that away, and would be repeated for ever. What is empty need not be there, for the API server leaves it out.
 */
export function holds(applied: unknown, there: unknown): boolean {
  if (applied === undefined || applied === null) return true;
  if (isEmpty(applied) && (there === undefined || there === null)) return true;
  if (Array.isArray(applied)) return Array.isArray(there) && holdsAll(applied, there);
  if (typeof applied !== 'object') return applied === there;
  if (typeof there !== 'object' || there === null) return false;
  const fields = there as Readonly<Record<string, unknown>>;
  return Object.entries(applied).every(([name, value]) => {
    return QUANTITIES.has(name) ? holdsQuantities(value, fields[name]) : holds(value, fields[name]);
  });
}

/** A list of plain values is one value, such as the arguments of a container. */
function holdsAll(applied: readonly unknown[], there: readonly unknown[]): boolean {
  if (applied.every((each) => typeof each === 'object'))
    return applied.every((each) => there.some((other) => holds(each, other)));
  return applied.length === there.length && applied.every((each, index) => each === there[index]);
}

/** Fields of quantities, which the API server writes in its own words: 2 as '2', 1.5Gi as 1536Mi. */
const QUANTITIES: ReadonlySet<string> = new Set(['requests', 'limits', 'sizeLimit']);

function holdsQuantities(applied: unknown, there: unknown): boolean {
  if (typeof applied !== 'object' || applied === null)
    return holds(applied, there) || amountOf(applied) === amountOf(there);
  const fields = (there ?? {}) as Readonly<Record<string, unknown>>;
  return Object.entries(applied).every(([name, value]) => holdsQuantities(value, fields[name]));
}

/** In thousandths, the smallest that the API server keeps of most. */
function amountOf(quantity: unknown): number | undefined {
  if (typeof quantity === 'number') return quantity * 1000;
  return typeof quantity === 'string' ? quantityOf(quantity, 1000) : undefined;
}

function isEmpty(value: unknown): boolean {
  return value === '' || (typeof value === 'object' && value !== null && Object.keys(value).length === 0);
}
