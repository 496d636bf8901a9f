import { type Clock, sleep } from '../ports/clock.ts';

export type HealerDeps = {
  readonly clock: Clock;
  /** Reads the key at quorum; resolves with whether a sound record was found and sent. Never rejects. */
  heal(namespaceId: number, key: Uint8Array): Promise<boolean>;
};

type Damaged = { readonly namespaceId: number; readonly key: Uint8Array; readonly attempts: number };

const HEALED_AT_ONCE = 4;
const RETRY_MS = 1000;
/** It is tried for as long as it takes: while it is damaged this member cannot be a source of a move. */
const RETRY_MS_MAX = 60_000;
/** Damaged keys that wait; what is beyond is found again when it is read. */
const WAITING_MAX = 1000;

/**
 * Heals records of this member that fail their checksum from the other replicas, a few at a time. Damage is found from the
 * turn on in which the replica opens, which is before anything can read at quorum: until `start` it waits.
 */
export class Healer {
  readonly #deps: HealerDeps;
  readonly #waiting: Damaged[] = [];
  readonly #stopping = new AbortController();
  readonly #working = new Set<Promise<void>>();
  #isStarted = false;

  constructor(deps: HealerDeps) {
    this.#deps = deps;
  }

  found(namespaceId: number, key: Uint8Array): void {
    this.#take({ namespaceId, key, attempts: 0 });
  }

  #take(damaged: Damaged): void {
    if (this.#stopping.signal.aborted || this.#waiting.length >= WAITING_MAX) return;
    this.#waiting.push(damaged);
    if (this.#isStarted && this.#working.size < HEALED_AT_ONCE) this.#work();
  }

  /** `heal` may be called from now on. */
  start(): void {
    this.#isStarted = true;
    while (this.#waiting.length > 0 && this.#working.size < HEALED_AT_ONCE) this.#work();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#waiting.length = 0;
    await Promise.all(this.#working);
  }

  #work(): void {
    const working = this.#healAll().finally(() => this.#working.delete(working));
    this.#working.add(working);
  }

  async #healAll(): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      if (await this.#deps.heal(next.namespaceId, next.key)) continue;
      void this.#tryLater(next);
    }
  }

  /** Without holding up those that wait. */
  async #tryLater(damaged: Damaged): Promise<void> {
    const { clock } = this.#deps;
    const delayMs = Math.min(RETRY_MS_MAX, RETRY_MS * 2 ** damaged.attempts);
    await sleep(clock, delayMs, this.#stopping.signal);
    const { namespaceId, key, attempts } = damaged;
    this.#take({ namespaceId, key, attempts: attempts + 1 });
  }
}
