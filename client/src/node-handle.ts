import type { NodeAddress } from './node-address.ts';

const AVOID_MS = 250;
const AVOID_MS_MAX = 30_000;

/**
 * One node, and how it did lately. An address that the client was given is a node of the cluster by the word of who gave
 * it. One that it learned must show that it is: private addresses mean other machines in other networks, and are given to
 * somebody else when a node is gone; a write there would be in another cluster's data.
 */
export class NodeHandle {
  readonly address: NodeAddress;
  readonly isGiven: boolean;
  #isProven: boolean;
  #failures = 0;
  #avoidUntilMs = 0;

  constructor(address: NodeAddress, { isGiven }: { readonly isGiven: boolean }) {
    this.address = address;
    this.isGiven = isGiven;
    this.#isProven = isGiven;
  }

  /** Whether it is a node of the cluster, as far as is known: requests go to no other. */
  get isProven(): boolean {
    return this.#isProven;
  }

  proven(): void {
    this.#isProven = true;
  }

  /** It could not be reached: who answers there next may be somebody else. */
  lost(): void {
    this.#isProven = this.isGiven;
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
