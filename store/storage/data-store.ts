import { DEFAULT_NAMESPACE } from '../core/topology/genesis.ts';
import { runBatch } from './batch.ts';
import {
  createDataAccess,
  type DataAccess,
  type DataStoreDeps,
  type DataStoreOptions,
  type NotYet,
  type PreparedWrite,
} from './data-access.ts';
import { KvError } from './errors.ts';
import { dataKey } from './key-layout.ts';
import type { KvStore, Namespace, WriteResult } from './kv-store.ts';
import { scanAll, scanPage } from './scan.ts';

/** The store of one node over its engine. */
export function createDataStore(options: DataStoreOptions, deps: DataStoreDeps): KvStore {
  const access = createDataAccess(options, deps);
  const { namespaces } = deps;

  /** Prepares and commits in one turn, so that the order of versions is the order of the engine. */
  const write = (prepare: () => PreparedWrite | NotYet): Promise<WriteResult> => {
    try {
      const prepared = prepare();
      if (prepared instanceof Promise) return prepared.then(() => write(prepare));
      return access.commit(prepared, prepared.result);
    } catch (error) {
      return Promise.reject(error);
    }
  };

  return {
    async get(namespace, key) {
      const address = access.address(namespaces.require(namespace), key);
      return (await access.read([dataKey(address)], [key]))[0];
    },
    put: (namespace, key, put) => write(() => access.preparePut(namespaces.require(namespace), key, put)),
    delete: (namespace, key) => write(() => access.prepareDelete(namespaces.require(namespace), key)),
    async batch(namespace, operations) {
      namespaces.require(namespace);
      return await runBatch(access, () => namespaces.require(namespace), operations);
    },
    scan: (namespace, query) => scanPage(access, namespaces.require(namespace), query),
    scanAll: (namespace, query) => scanAll(access, namespaces.require(namespace), query),
    listNamespaces: () => namespaces.list(),
    getNamespace: (name) => namespaces.get(name),
    createNamespace: (name) => access.guarded(namespaces.create(name)),
    async deleteNamespace(name, confirm) {
      const namespace = namespaces.require(name);
      if (name === DEFAULT_NAMESPACE)
        throw new KvError('NAMESPACE_PROTECTED', `the namespace '${name}' cannot be deleted`, {
          namespace: name,
        });
      if (confirm === name) await access.guarded(namespaces.drop(namespace));
      else await dropEmpty(access, namespace);
    },
  };
}

/** Drops the namespace in the turn in which it is known that nothing was written since it was seen empty. */
async function dropEmpty(access: DataAccess, namespace: Namespace): Promise<void> {
  const { namespaces, tracker } = access.deps;
  for (let seen = -1; seen !== tracker.issuedIn(namespace.id); ) {
    seen = tracker.issuedIn(namespace.id);
    await tracker.drained();
    const page = await scanPage(access, namespace, { limit: 1 });
    if (page.entries.length > 0 || page.resumeAfter !== undefined) throw notEmpty(namespace.name);
  }
  await access.guarded(namespaces.drop(namespace));
}

function notEmpty(name: string): KvError {
  return new KvError('NAMESPACE_NOT_EMPTY', `the namespace '${name}' holds data`, { namespace: name });
}
