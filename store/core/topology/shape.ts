/**
 * Readers of untrusted values: each returns a value of its type, made anew, or throws with the place and what is
 * allowed there. By hand, since store/core imports no packages.
 */
export type Reader<T> = (value: unknown, path: string) => T;

export class ShapeError extends Error {
  override readonly name = 'ShapeError';
}

type Shape<T> = { readonly [K in keyof T]-?: Reader<T[K]> };

export function whole<T extends number = number>(
  min: number,
  max: number = Number.MAX_SAFE_INTEGER,
): Reader<T> {
  return (value, path) => {
    if (Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max)
      return value as T;
    return fail(value, path, `a whole number from ${min} to ${max}`);
  };
}

export function text(charactersMax: number, pattern = /^/, what = ''): Reader<string> {
  return (value, path) => {
    if (typeof value === 'string' && value.length <= charactersMax && pattern.test(value)) return value;
    return fail(value, path, `text of at most ${charactersMax} characters${what === '' ? '' : `: ${what}`}`);
  };
}

export function oneOf<const T extends string>(...allowed: readonly T[]): Reader<T> {
  return (value, path) =>
    allowed.find((each) => each === value) ?? fail(value, path, `one of ${allowed.join(', ')}`);
}

export const isTrue: Reader<true> = (value, path) => (value === true ? true : fail(value, path, 'true'));

export const isBoolean: Reader<boolean> = (value, path) =>
  typeof value === 'boolean' ? value : fail(value, path, 'true or false');

/** A union: which shape it has, its field `type` tells. */
export function ofType<T extends { readonly type: string }>(
  shapes: {
    readonly [K in T['type']]: Reader<Extract<T, { readonly type: K }>>;
  },
): Reader<T> {
  const typeOf = oneOf(...(Object.keys(shapes) as T['type'][]));
  return (value, path) => {
    const type = typeOf(asRecord(value, path).type, `${path}.type`);
    const read: Reader<T> = shapes[type as T['type']];
    return read(value, path);
  };
}

export function optional<T>(reader: Reader<T>): Reader<T | undefined> {
  return (value, path) => (value === undefined ? undefined : reader(value, path));
}

export function list<T>(reader: Reader<T>, lengthMax: number): Reader<readonly T[]> {
  return (value, path) => {
    if (!Array.isArray(value) || value.length > lengthMax) {
      return fail(value, path, `a list of at most ${lengthMax}`);
    }
    return value.map((each: unknown, index) => reader(each, `${path}[${index}]`));
  };
}

/** An object with these fields and no others, in this order: its JSON is the same for equal values. */
export function object<T>(shape: Shape<T>): Reader<T> {
  const keys = Object.keys(shape) as (keyof T & string)[];
  return (value, path) => {
    const given = asRecord(value, path);
    const unknown = Object.keys(given).find((key) => !Object.hasOwn(shape, key));
    if (unknown !== undefined) return fail(given[unknown], `${path}.${unknown}`, 'no field of this name');
    const read = keys.map((key) => {
      const own = Object.hasOwn(given, key) ? given[key] : undefined;
      return [key, shape[key](own, `${path}.${key}`)];
    });
    return Object.fromEntries(read) as T;
  };
}

export function asRecord(value: unknown, path: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return fail(value, path, 'an object');
  return value as Readonly<Record<string, unknown>>;
}

function fail(value: unknown, path: string, allowed: string): never {
  const shown = value === undefined ? 'nothing' : JSON.stringify(value)?.slice(0, 80);
  throw new ShapeError(`${path} is ${shown}; allowed is ${allowed}`);
}
