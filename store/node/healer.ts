import { type Clock, sleep, type Timer } from '../ports/clock.ts';

export type HealerDeps = {
  readonly clock: Clock;
  /** Reads the key at quorum; resolves with whether a sound record was found and sent. Never rejects. */
  heal(namespaceId: number, key: Uint8Array): Promise<boolean>;
};

type Damaged = { readonly namespaceId: number; readonly key: Uint8Array; attempts: number };

const HEALED_AT_ONCE = 4;
const ATTEMPTS_MAX = 5;
const RETRY_MS = 1000;
/** Of what could not be healed in so many attempts: whoever could give it may be back, and a move may wait for it. */
const LATER_MS = 30_000;
/** Damaged keys that wait; what is beyond is found again when it is read. */
const WAITING_MAX = 1000;

/**
 * Heals records of this member that fail their checksum from the other replicas, a few at a time. Damage is found from the
 * turn on in which the replica opens, which is before anything can read at quorum: until `start` it waits.
 */
export class Healer {
  readonly #deps: HealerDeps;
  readonly #waiting: Damaged[] = [];
  readonly #timers = new Set<Timer>();
  readonly #stopping = new AbortController();
  readonly #working = new Set<Promise<void>>();
  #isStarted = false;

  constructor(deps: HealerDeps) {
    this.#deps = deps;
  }

  found(namespaceId: number, key: Uint8Array): void {
    if (this.#stopping.signal.aborted || this.#waiting.length >= WAITING_MAX) return;
    this.#waiting.push({ namespaceId, key, attempts: 0 });
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
    for (const timer of this.#timers) timer.cancel();
    await Promise.all(this.#working);
  }

  #later({ namespaceId, key }: Damaged): void {
    if (this.#timers.size >= WAITING_MAX) return;
    const timer = this.#deps.clock.setTimer(LATER_MS, () => {
      this.#timers.delete(timer);
      this.found(namespaceId, key);
    });
    this.#timers.add(timer);
  }

  #work(): void {
    const working = this.#healAll().finally(() => this.#working.delete(working));
    this.#working.add(working);
  }

  async #healAll(): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      if (await this.#deps.heal(next.namespaceId, next.key)) continue;
      next.attempts += 1;
      if (next.attempts >= ATTEMPTS_MAX) {
        this.#later(next);
        continue;
      }
      await sleep(this.#deps.clock, RETRY_MS, this.#stopping.signal);
      if (!this.#stopping.signal.aborted) this.#waiting.push(next);
    }
  }
}
