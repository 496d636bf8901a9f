import { isEqual, isObject, type Json, type JsonObject } from './fake-api-server-json.ts';

/**
 * Server-side apply, the part of it that an operator relies on: fields of a manager merge into the object, fields
 * that it applied formerly and no longer does are removed unless somebody else owns them, and a field that somebody
 * else owns with another value is a conflict. Lists of the table below merge by key; all others are one value.
 */

/** How items of a list are told apart, by the name of the field that holds the list. */
const LIST_KEYS: Readonly<Record<string, readonly string[]>> = {
  conditions: ['type'],
  containers: ['name'],
  initContainers: ['name'],
  volumes: ['name'],
  env: ['name'],
  imagePullSecrets: ['name'],
  ownerReferences: ['uid'],
  ports: ['containerPort', 'port'],
  volumeMounts: ['mountPath'],
};

/** A field of an object, or the item of a list with that key. */
type Segment = string | { readonly key: string; readonly value: Json };
export type Leaf = { readonly path: readonly Segment[]; readonly value: Json };
/** The fields that one manager owns: paths as JSON text. */
export type FieldSet = ReadonlySet<string>;
export type Owners = ReadonlyMap<string, FieldSet>;

export type Applied =
  | { readonly type: 'applied'; readonly object: JsonObject; readonly owners: Owners }
  | { readonly type: 'conflict'; readonly field: string; readonly manager: string };

export function serverSideApply(
  live: JsonObject,
  config: JsonObject,
  owners: Owners,
  by: { readonly manager: string; readonly isForced: boolean },
): Applied {
  const leaves = leavesOf(config);
  const fields = new Set(leaves.keys());
  const next = new Map(owners);
  for (const [id, leaf] of leaves) {
    if (isEqual(get(live, leaf.path), leaf.value)) continue;
    for (const [manager, owned] of next) {
      if (manager === by.manager || !owned.has(id)) continue;
      if (!by.isForced) return { type: 'conflict', field: fieldText(leaf.path), manager };
      next.set(manager, new Set([...owned].filter((field) => field !== id)));
    }
  }
  let object: Json = live;
  for (const { path, value } of leaves.values()) object = set(object, path, value);
  const disowned = [...(owners.get(by.manager) ?? [])].filter((id) => !fields.has(id));
  // Longest paths first: what is inside an item goes before the item itself.
  for (const id of disowned.sort((a, b) => b.length - a.length))
    if (!isOwnedByOthers(next, by.manager, id)) object = remove(object, JSON.parse(id) as Segment[]) ?? {};
  next.set(by.manager, fields);
  return { type: 'applied', object: object as JsonObject, owners: next };
}

/** Owners after somebody wrote `after` over `before` without apply: what was changed is theirs alone. */
export function ownersAfterUpdate(
  before: JsonObject,
  after: JsonObject,
  owners: Owners,
  manager: string,
): Owners {
  const changes: Changes = { changed: new Set(), gone: new Set() };
  compare(before, after, [], changes);
  const { changed, gone } = changes;
  if (changed.size === 0 && gone.size === 0 && owners.has(manager)) return owners;
  const next = new Map<string, FieldSet>();
  for (const [other, fields] of owners)
    next.set(other, new Set([...fields].filter((id) => !gone.has(id) && !changed.has(id))));
  next.set(manager, new Set([...(next.get(manager) ?? []), ...changed]));
  return next;
}

type Changes = { readonly changed: Set<string>; readonly gone: Set<string> };

/** What is the same object in both is the same: most of an object is, when a part of it changes. */
function compare(
  before: Json | undefined,
  after: Json | undefined,
  path: readonly Segment[],
  changes: Changes,
): void {
  if (before === after) return;
  if (isFilled(before) && isFilled(after)) {
    for (const field of new Set([...Object.keys(before), ...Object.keys(after)]))
      compare(before[field], after[field], [...path, field], changes);
    return;
  }
  const was = leavesAt(before, path);
  const is = leavesAt(after, path);
  for (const [id, { value }] of is) if (!isEqual(was.get(id)?.value, value)) changes.changed.add(id);
  for (const id of was.keys()) if (!is.has(id)) changes.gone.add(id);
}

function isFilled(value: Json | undefined): value is JsonObject {
  return isObject(value) && Object.keys(value).length > 0;
}

function leavesOf(value: JsonObject): Map<string, Leaf> {
  return leavesAt(value, []);
}

function leavesAt(value: Json | undefined, path: readonly Segment[]): Map<string, Leaf> {
  const leaves = new Map<string, Leaf>();
  if (value !== undefined) collect(value, path, leaves);
  return leaves;
}

function collect(value: Json, path: readonly Segment[], leaves: Map<string, Leaf>): void {
  if (isObject(value) && Object.keys(value).length > 0) {
    for (const [field, inner] of Object.entries(value))
      if (inner !== undefined) collect(inner, [...path, field], leaves);
    return;
  }
  const key = Array.isArray(value) ? listKey(path, value) : undefined;
  if (key === undefined) leaves.set(JSON.stringify(path), { path, value });
  else
    for (const item of value as readonly JsonObject[]) collect(item, [...path, segmentOf(item, key)], leaves);
}

function segmentOf(item: JsonObject, key: string): Segment {
  return { key, value: item[key] ?? null };
}

function listKey(path: readonly Segment[], list: readonly Json[]): string | undefined {
  const field = path.at(-1);
  if (typeof field !== 'string' || list.length === 0) return undefined;
  return LIST_KEYS[field]?.find((key) => list.every((item) => isObject(item) && item[key] !== undefined));
}

function isOwnedByOthers(owners: Owners, manager: string, id: string): boolean {
  return [...owners].some(([other, fields]) => other !== manager && fields.has(id));
}

function matches(item: Json, segment: Exclude<Segment, string>): boolean {
  return isObject(item) && isEqual(item[segment.key], segment.value);
}

function get(value: Json | undefined, path: readonly Segment[]): Json | undefined {
  let at = value;
  for (const segment of path) {
    if (typeof segment === 'string') at = isObject(at) ? at[segment] : undefined;
    else at = Array.isArray(at) ? at.find((item) => matches(item, segment)) : undefined;
  }
  return at;
}

function set(target: Json | undefined, path: readonly Segment[], value: Json): Json {
  const [segment, ...rest] = path;
  if (segment === undefined) return value;
  if (typeof segment === 'string') {
    const object = isObject(target) ? target : {};
    return { ...object, [segment]: set(object[segment], rest, value) };
  }
  const list: readonly Json[] = Array.isArray(target) ? target : [];
  const at = list.findIndex((item) => matches(item, segment));
  const item = set(at < 0 ? { [segment.key]: segment.value } : list[at], rest, value);
  return at < 0 ? [...list, item] : list.with(at, item);
}

/** Undefined where nothing is left: a map or a list that the removal emptied goes as well. */
function remove(target: Json | undefined, path: readonly Segment[]): Json | undefined {
  const [segment, ...rest] = path;
  if (segment === undefined) return undefined;
  if (typeof segment === 'string') {
    if (!isObject(target)) return target;
    const { [segment]: inner, ...others } = target;
    const left = remove(inner, rest);
    if (left !== undefined) return { ...others, [segment]: left };
    return Object.keys(others).length === 0 ? undefined : others;
  }
  if (!Array.isArray(target)) return target;
  const list: readonly Json[] = target;
  const items = list.flatMap((item) => (matches(item, segment) ? (remove(item, rest) ?? []) : item));
  return items.length === 0 ? undefined : (items as Json[]);
}

function fieldText(path: readonly Segment[]): string {
  return path
    .map((segment) => (typeof segment === 'string' ? `.${segment}` : `[${segment.key}=${segment.value}]`))
    .join('');
}
