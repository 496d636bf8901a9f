import type { Engine, EngineOperation } from './engine.ts';
import { KvError } from './errors.ts';
import { dataRange } from './key-layout.ts';
import type { Namespace } from './kv-store.ts';
import { deleteMeta, type MetaStore, putMeta } from './meta-store.ts';

/**
 * The namespaces of a node. Ids are never reused. A namespace is dropped in two durable steps: it disappears and
 * its id is noted as dropped, then its data is deleted; a crash in between is finished at the next start.
 */
export type Namespaces = {
  list(): readonly Namespace[];
  get(name: string): Namespace | undefined;
  /** Throws KvError NAMESPACE_NOT_FOUND. */
  require(name: string): Namespace;
  create(
    name: string,
    createdAtMs: number,
  ): Promise<{ readonly namespace: Namespace; readonly created: boolean }>;
  /** Throws KvError NAMESPACE_NOT_FOUND where it was dropped already, also if there is a new one of that name. */
  drop(namespace: Namespace): Promise<void>;
};

export const DEFAULT_NAMESPACE = 'default';

const NAMESPACE = 'namespace/';
const DROPPED = 'namespace-dropped/';
const NEXT_ID = 'namespace-next-id';

export type NamespaceOptions = { readonly partitions: number; readonly namespacesMax: number };

export async function openNamespaces(
  options: NamespaceOptions,
  deps: { readonly engine: Engine; readonly meta: MetaStore; readonly nowMs: number },
): Promise<Namespaces> {
  const { engine, meta } = deps;
  const byName = new Map<string, Namespace>();
  for (const { fact } of await meta.list(NAMESPACE)) {
    const namespace = fact as Namespace;
    byName.set(namespace.name, namespace);
  }
  let nextId = ((await meta.read(NEXT_ID)) as { nextId: number } | undefined)?.nextId ?? 1;

  const creating = new Map<string, Promise<Namespace>>();
  const createNew = async (name: string, createdAtMs: number): Promise<Namespace> => {
    if (byName.size + creating.size >= options.namespacesMax) throw tooMany(options.namespacesMax);
    const namespace: Namespace = { name, id: nextId++, consistency: 'quorum', createdAtMs };
    await engine.write([putMeta(NAMESPACE + name, namespace), putMeta(NEXT_ID, { nextId })], { sync: true });
    byName.set(name, namespace);
    return namespace;
  };
  const create: Namespaces['create'] = async (name, createdAtMs) => {
    const existing = byName.get(name) ?? creating.get(name);
    if (existing !== undefined) return { namespace: await existing, created: false };
    const creation = createNew(name, createdAtMs).finally(() => creating.delete(name));
    creating.set(name, creation);
    return { namespace: await creation, created: true };
  };

  const drop: Namespaces['drop'] = async (namespace) => {
    if (byName.get(namespace.name) !== namespace) throw notFound(namespace.name);
    byName.delete(namespace.name);
    const note: EngineOperation[] = [
      deleteMeta(NAMESPACE + namespace.name),
      putMeta(DROPPED + namespace.id, { id: namespace.id }),
    ];
    await engine.write(note, { sync: true });
    await deleteData(engine, options.partitions, namespace.id);
  };

  for (const { fact } of await meta.list(DROPPED)) {
    await deleteData(engine, options.partitions, (fact as { id: number }).id);
  }
  if (!byName.has(DEFAULT_NAMESPACE)) await create(DEFAULT_NAMESPACE, deps.nowMs);

  return {
    list: () => [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    get: (name) => byName.get(name),
    require(name) {
      const namespace = byName.get(name);
      if (namespace === undefined) throw notFound(name);
      return namespace;
    },
    create,
    drop,
  };
}

async function deleteData(engine: Engine, partitions: number, namespaceId: number): Promise<void> {
  for (let partition = 0; partition < partitions; partition++) {
    const range = dataRange(partition, namespaceId, undefined, undefined);
    await engine.write([{ type: 'delete-range', ...range }], { sync: true });
  }
  await engine.write([deleteMeta(DROPPED + namespaceId)], { sync: true });
}

function notFound(name: string): KvError {
  return new KvError('NAMESPACE_NOT_FOUND', `there is no namespace '${name}'`, { namespace: name });
}

function tooMany(namespacesMax: number): KvError {
  return new KvError('NAMESPACE_LIMIT', `there are ${namespacesMax} namespaces, the most that are allowed`, {
    namespacesMax,
  });
}
