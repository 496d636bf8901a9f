/** JSON of any shape. What the fake server keeps is never changed in place: a change makes a new object. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export type JsonObject = { readonly [key: string]: Json | undefined };

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Objects as JSON brings them back, without fields that are undefined. What was kept before is not copied again, since nobody changes it. */
export class KeptJson {
  readonly #kept = new WeakSet<object>();

  keep<T>(value: T): T {
    if (typeof value !== 'object' || value === null || this.#kept.has(value)) return value;
    const copy = Array.isArray(value) ? value.map((item) => this.keep(item) ?? null) : this.#fields(value);
    this.#kept.add(copy);
    return copy as T;
  }

  #fields(value: object): object {
    const copy: Record<string, unknown> = {};
    for (const [key, inner] of Object.entries(value)) if (inner !== undefined) copy[key] = this.keep(inner);
    return copy;
  }
}

/** Equal as the API server sees it: the order of fields says nothing, and an undefined field is an absent one. */
export function isEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, at) => isEqual(item, b[at]));
  if (!isObject(a) || !isObject(b)) return false;
  for (const key in a) if (!isEqual(a[key], b[key])) return false;
  for (const key in b) if (a[key] === undefined && b[key] !== undefined) return false;
  return true;
}

/** RFC 7396: null removes, objects merge, everything else replaces. */
export function mergePatch(target: Json | undefined, patch: Json | undefined): Json | undefined {
  if (!isObject(patch)) return patch;
  const merged: Record<string, Json | undefined> = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = mergePatch(merged[key], value);
  }
  return merged;
}

/** The value at a dotted path such as `spec.replicas`. */
export function valueAt(object: unknown, path: string): Json | undefined {
  let value: unknown = object;
  for (const field of path.split('.')) value = isObject(value) ? value[field] : undefined;
  return value as Json | undefined;
}

/** The object with `value` at a dotted path. */
export function withValueAt<T>(object: T, path: string, value: Json): T {
  const patch = path.split('.').reduceRight<Json>((inner, field) => ({ [field]: inner }), value);
  return mergePatch(object as Json, patch) as T;
}
