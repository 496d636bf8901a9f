import type { Clock } from '../../ports/clock.ts';
import { KvError } from '../../storage/errors.ts';
import type { Namespace } from '../../storage/kv-store.ts';
import type { Deadlines } from './deadlines.ts';

/** The namespaces that this node knows; `Namespaces` of store/storage is one. */
export type NamespaceSource = {
  list(): readonly Namespace[];
  get(name: string): Namespace | undefined;
  create(name: string): Promise<{ readonly namespace: Namespace; readonly created: boolean }>;
  drop(namespace: Namespace): Promise<void>;
};

export type NamespaceDirectoryDeps = {
  readonly namespaces: NamespaceSource;
  /** Resolves once this node has applied all that was acknowledged before the call (ReadIndex). */
  catchUp(signal: AbortSignal): Promise<void>;
  readonly deadlines: Deadlines;
  readonly clock: Clock;
};

/**
 * Finds namespaces. One that is not known here may have been created by another node a moment ago: before it is denied, this
 * node catches up with the topology.
 */
export class NamespaceDirectory {
  readonly namespaces: NamespaceSource;
  readonly #timeoutMs: number;
  readonly #deps: NamespaceDirectoryDeps;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(options: { readonly timeoutMs: number }, deps: NamespaceDirectoryDeps) {
    this.namespaces = deps.namespaces;
    this.#timeoutMs = options.timeoutMs;
    this.#deps = deps;
  }

  /** As far as this node knows now. */
  find(name: string): Namespace | undefined {
    return this.namespaces.get(name);
  }

  /** Throws KvError NAMESPACE_NOT_FOUND, DEADLINE_EXCEEDED where it can't be made sure in time, and what catching up throws. */
  async require(name: string, deadlineMs: number): Promise<Namespace> {
    const known = this.find(name);
    if (known !== undefined) return known;
    await this.#before(deadlineMs, name, this.#caughtUp());
    const found = this.find(name);
    if (found === undefined)
      throw new KvError('NAMESPACE_NOT_FOUND', `there is no namespace '${name}'`, { namespace: name });
    return found;
  }

  /** One at a time, for all who wait: who comes while one runs needs one that begins after that. */
  #caughtUp(): Promise<void> {
    if (this.#running === undefined) return this.#run();
    const begin = (): Promise<void> => {
      this.#next = undefined;
      return this.#run();
    };
    this.#next ??= this.#running.then(begin, begin);
    return this.#next;
  }

  #run(): Promise<void> {
    const ending = new AbortController();
    const endsMs = this.#deps.clock.monotonicMs() + this.#timeoutMs;
    const deadline = this.#deps.deadlines.set(endsMs, () => ending.abort());
    const run = this.#deps.catchUp(ending.signal).finally(() => {
      deadline.cancel();
      if (this.#running === run) this.#running = undefined;
    });
    this.#running = run;
    return run;
  }

  #before(deadlineMs: number, name: string, work: Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      const deadline = this.#deps.deadlines.set(deadlineMs, () => reject(unsure(name)));
      work.then(resolve, reject).finally(() => deadline.cancel());
    });
  }
}

function unsure(name: string): KvError {
  return new KvError(
    'DEADLINE_EXCEEDED',
    `this node does not know the namespace '${name}', and could not ask the topology group in time whether it is new. ` +
      'Nothing was done; try again, or ask another node',
    { namespace: name, outcome: 'unwritten' },
  );
}
