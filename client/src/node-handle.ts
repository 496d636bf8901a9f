import type { NodeAddress } from './node-address.ts';

const AVOID_MS = 250;
const AVOID_MS_MAX = 30_000;

/** One node, and how it did lately. */
export class NodeHandle {
  readonly address: NodeAddress;
  #failures = 0;
  #avoidUntilMs = 0;

  constructor(address: NodeAddress) {
    this.address = address;
  }

  /** When it may be asked as any other; in the past for a node that is well. */
  get avoidUntilMs(): number {
    return this.#avoidUntilMs;
  }

  isAvoided(nowMs: number): boolean {
    return this.#avoidUntilMs > nowMs;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#avoidUntilMs = 0;
  }

  /** It is asked last for a while, which doubles with each failure in a row; `askedMs` is what it asked for itself. */
  failed(nowMs: number, askedMs = 0): void {
    const doubledMs = Math.min(AVOID_MS_MAX, AVOID_MS * 2 ** this.#failures);
    this.#failures += 1;
    this.#avoidUntilMs = nowMs + Math.min(AVOID_MS_MAX, Math.max(askedMs, doubledMs));
  }
}
