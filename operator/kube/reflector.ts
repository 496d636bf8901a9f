import { type Clock, sleep } from '../../store/ports/clock.ts';
import type { Random } from '../../store/ports/random.ts';
import { type BackOffOptions, backOffMs, jittered } from './back-off.ts';
import type { KubeClient, Selection } from './kube-client.ts';
import { isExpired, KubeError } from './kube-error.ts';
import type { KubeLog } from './kube-log.ts';
import { type ObjectCache, parseVersion } from './object-cache.ts';
import type { KubeObject, Resource } from './resource.ts';

export type ReflectorOptions = Selection & {
  /** The server ends a watch after so long, and up to as much again. */
  readonly watchSeconds: number;
  /** A watch without an event or a bookmark for so long is made anew. */
  readonly idleMs: number;
  /** A complete list at least as often: what a server forgot to tell is found out by then. */
  readonly relistMs: number;
  readonly backOff: BackOffOptions;
};

export type ReflectorDeps<T extends KubeObject> = {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: KubeLog;
  readonly cache: ObjectCache<T>;
  /** Makes an object smaller before it is kept. */
  readonly transform: (object: T) => T;
  readonly onListed: () => void;
};

/** A watch that ends sooner, and told nothing, counts as a failure. */
const SHORT_WATCH_MS = 1000;
/** So many lists older than what is known are not believed; then the server's data must have been restored. */
const STALE_LISTS_MAX = 5;
/** Waits are up to twice as long as computed. */
const JITTER = 1;

/**
 * Keeps a cache like the server: lists, watches from there, watches again from the last version it heard of, and lists
 * again where that version is forgotten. It goes on whatever happens until `run`'s signal is aborted.
 */
export class Reflector<T extends KubeObject> {
  readonly #resource: Resource<T>;
  readonly #options: ReflectorOptions;
  readonly #deps: ReflectorDeps<T>;
  /** Where the next watch begins; undefined when a list must come first. */
  #version: string | undefined;
  #newestVersion = 0;
  #staleLists = 0;
  #failures = 0;
  #listDueMs = 0;

  constructor(resource: Resource<T>, options: ReflectorOptions, deps: ReflectorDeps<T>) {
    this.#resource = resource;
    this.#options = options;
    this.#deps = deps;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const isListDue = this.#deps.clock.monotonicMs() >= this.#listDueMs;
        if (this.#version === undefined || isListDue) await this.#list(signal);
        await this.#watch(signal);
      } catch (error) {
        if (signal.aborted) return;
        await this.#recover(error, signal);
      }
    }
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { client, cache, clock, transform, onListed } = this.#deps;
    const { items, resourceVersion } = await client.list(this.#resource, this.#options, signal);
    signal.throwIfAborted();
    this.#refuseStale(resourceVersion);
    this.#newestVersion = parseVersion(resourceVersion);
    this.#version = resourceVersion;
    this.#listDueMs = clock.monotonicMs() + this.#options.relistMs;
    cache.replace(this.#options.namespace, items.map(transform));
    onListed();
  }

  /** A server behind others may answer with the past; acting on it would undo what was done since. */
  #refuseStale(resourceVersion: string): void {
    if (parseVersion(resourceVersion) >= this.#newestVersion || this.#staleLists >= STALE_LISTS_MAX) {
      this.#staleLists = 0;
      return;
    }
    this.#staleLists++;
    const what = `list of ${this.#resource.plural} at version ${resourceVersion}, but ${this.#newestVersion} is known`;
    throw new KubeError(0, 'BadAnswer', what);
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { client, clock } = this.#deps;
    const startMs = clock.monotonicMs();
    const options = {
      ...this.#options,
      resourceVersion: this.#version!,
      timeoutSeconds: this.#watchSeconds(startMs),
    };
    let told = 0;
    for await (const event of client.watch(this.#resource, options, signal)) {
      if (signal.aborted) return;
      told++;
      this.#failures = 0;
      const version =
        event.type === 'BOOKMARK' ? event.resourceVersion : event.object.metadata.resourceVersion;
      if (event.type === 'DELETED') this.#deps.cache.remove(this.#deps.transform(event.object));
      else if (event.type !== 'BOOKMARK') this.#deps.cache.put(this.#deps.transform(event.object));
      this.#advance(version);
    }
    if (told === 0 && clock.monotonicMs() - startMs < SHORT_WATCH_MS)
      throw new KubeError(0, 'Unreachable', `watch of ${this.#resource.plural} ended at once`);
    this.#failures = 0;
  }

  /** Events may come in another order than they happened: the next watch must not begin before what was heard. */
  #advance(resourceVersion: string | undefined): void {
    const version = parseVersion(resourceVersion);
    if (resourceVersion === undefined || version < this.#newestVersion) return;
    this.#newestVersion = version;
    this.#version = resourceVersion;
  }

  /** Spread out, so that not all watches end together; never beyond the next list. */
  #watchSeconds(nowMs: number): number {
    const wanted = jittered(this.#options.watchSeconds, 1, this.#deps.random);
    return Math.max(1, Math.ceil(Math.min(wanted, (this.#listDueMs - nowMs) / 1000)));
  }

  async #recover(error: unknown, signal: AbortSignal): Promise<void> {
    const { clock, random, log } = this.#deps;
    const { plural } = this.#resource;
    if (isExpired(error)) this.#version = undefined;
    // A silent connection says nothing about the server: the next one is tried at once, after a time of silence anyway.
    if (error instanceof KubeError && error.reason === 'Idle') {
      log.info({ resource: plural }, 'a watch was silent and is made anew');
      return;
    }
    this.#failures++;
    // The first time that a version is forgotten is nothing special.
    if (isExpired(error) && this.#failures === 1) return;
    const waitMs = jittered(backOffMs(this.#failures, this.#options.backOff), JITTER, random);
    const askedMs = error instanceof KubeError ? (error.retryAfterMs ?? 0) : 0;
    const fields = {
      err: error,
      resource: plural,
      namespace: this.#options.namespace,
      failures: this.#failures,
    };
    log.warn(fields, 'a list or watch failed and is tried again');
    await sleep(clock, Math.max(waitMs, askedMs), signal);
  }
}
