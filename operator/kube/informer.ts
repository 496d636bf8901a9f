import type { Clock, Timer } from '../../store/ports/clock.ts';
import type { Random } from '../../store/ports/random.ts';
import type { KubeClient } from './kube-client.ts';
import type { KubeLog } from './kube-log.ts';
import { type CacheHandler, ObjectCache } from './object-cache.ts';
import { Reflector, type ReflectorOptions } from './reflector.ts';
import type { KubeObject, ObjectRef, Resource } from './resource.ts';

export type InformerOptions<T extends KubeObject> = {
  /** Undefined for all of them. */
  readonly namespaces?: readonly string[] | undefined;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Tells the handlers of every object as often; never where it is undefined. */
  readonly resyncMs?: number;
  readonly watchSeconds?: number;
  readonly idleMs?: number;
  readonly relistMs?: number;
  readonly backOff?: ReflectorOptions['backOff'];
  /** Makes an object smaller before it is kept. managedFields are left out in any case. */
  readonly transform?: (object: T) => T;
};

export type InformerDeps = {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: KubeLog;
};

const WATCH_SECONDS = 300;
/** Servers send a bookmark about once a minute. */
const IDLE_MS = 90_000;
const RELIST_MS = 30 * 60_000;
const BACK_OFF = { firstMs: 800, maxMs: 30_000 };

/**
 * What the server has of a kind, in memory, and who wants to know of changes. Answers may be old: whoever acts on them
 * in a way that cannot be undone reads the object itself first. Nothing but `stop` ends it, and then no handler is
 * called any more.
 */
export class Informer<T extends KubeObject> {
  readonly #cache: ObjectCache<T>;
  readonly #reflectors: readonly Reflector<T>[];
  readonly #stopping = new AbortController();
  readonly #synced = Promise.withResolvers<void>();
  readonly #clock: Clock;
  readonly #resyncMs: number | undefined;
  #unlisted: number;
  #timer: Timer | undefined;
  #running: Promise<unknown> = Promise.resolve();

  constructor(resource: Resource<T>, options: InformerOptions<T>, deps: InformerDeps) {
    this.#clock = deps.clock;
    this.#resyncMs = options.resyncMs;
    this.#cache = new ObjectCache<T>(deps);
    const scopes = options.namespaces === undefined ? [undefined] : [...new Set(options.namespaces)];
    this.#unlisted = scopes.length;
    this.#reflectors = scopes.map((namespace) => this.#reflector(resource, namespace, options, deps));
    // Who never asks whether it is synced must not be told that it was stopped before.
    this.#synced.promise.catch(() => undefined);
    if (scopes.length === 0) this.#synced.resolve();
  }

  get isSynced(): boolean {
    return this.#unlisted === 0;
  }

  get size(): number {
    return this.#cache.size;
  }

  /** Resolves when everything was listed once; rejects when it is stopped before. */
  synced(): Promise<void> {
    return this.#synced.promise;
  }

  start(): void {
    const { signal } = this.#stopping;
    this.#running = Promise.all(this.#reflectors.map((reflector) => reflector.run(signal)));
    this.#scheduleResync();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#timer?.cancel();
    this.#synced.reject(new Error('the informer was stopped before it knew everything'));
    await this.#running;
  }

  get(ref: ObjectRef): T | undefined {
    return this.#cache.get(ref);
  }

  list(namespace?: string): readonly T[] {
    return this.#cache.list(namespace);
  }

  /** The handler hears of what is there at once, and then of changes; returns how to end that. */
  onEvent(handler: CacheHandler<T>): () => void {
    return this.#cache.onEvent(handler);
  }

  #reflector(
    resource: Resource<T>,
    namespace: string | undefined,
    options: InformerOptions<T>,
    deps: InformerDeps,
  ): Reflector<T> {
    const { labelSelector, fieldSelector, transform = (object: T): T => object } = options;
    const {
      watchSeconds = WATCH_SECONDS,
      idleMs = IDLE_MS,
      relistMs = RELIST_MS,
      backOff = BACK_OFF,
    } = options;
    let isListed = false;
    const onListed = (): void => {
      if (isListed) return;
      isListed = true;
      this.#unlisted--;
      if (this.#unlisted === 0) this.#synced.resolve();
    };
    return new Reflector<T>(
      resource,
      { namespace, labelSelector, fieldSelector, watchSeconds, idleMs, relistMs, backOff },
      {
        ...deps,
        cache: this.#cache,
        onListed,
        transform: (object) => transform(withoutManagedFields(object)),
      },
    );
  }

  #scheduleResync(): void {
    if (this.#resyncMs === undefined) return;
    this.#timer = this.#clock.setTimer(this.#resyncMs, () => {
      this.#cache.resync();
      this.#scheduleResync();
    });
  }
}

/** They are often half of an object, and of no use to anyone but the server. */
export function withoutManagedFields<T extends KubeObject>(object: T): T {
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}
