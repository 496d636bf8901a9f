/** A promise that was broken; `check` is the name of the one that noticed. */
export class Violation extends Error {
  override readonly name = 'Violation';
  readonly check: string;

  constructor(check: string, message: string) {
    super(message);
    this.check = check;
  }
}

export type Require = (holds: boolean, message: () => string) => void;

export function requireOf(check: string): Require {
  return (holds, message) => {
    if (!holds) throw new Violation(check, message());
  };
}

/** The value first put under `key`. */
export function once<Key, Value>(map: Map<Key, Value>, key: Key, value: Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  map.set(key, value);
  return value;
}
