import { namespaceIdOf } from './key-layout.ts';
import { keyName } from './key-name.ts';

/**
 * Knows which writes are on their way to the engine, so that background deletion can tell whether a record that it
 * read is still the last word on its key. The engine settles writes in the order in which they were issued.
 */
export class WriteTracker {
  readonly #watches = new Set<Map<string, boolean>>();
  readonly #waiting: { readonly until: number; readonly resolve: () => void }[] = [];
  readonly #issuedIn = new Map<number, number>();
  #issued = 0;
  #isClosed = false;
  #settled = 0;

  /** No further write may be issued. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Resolves when every write issued so far is settled; none may be issued any more. */
  close(): Promise<void> {
    this.#isClosed = true;
    return this.drained();
  }

  /** Writes issued so far in a namespace. */
  issuedIn(namespaceId: number): number {
    return this.#issuedIn.get(namespaceId) ?? 0;
  }

  /** Notes a write of `storedKeys`, which are of one namespace, in the turn in which it is issued. */
  issued(storedKeys: readonly Uint8Array[]): void {
    this.#issued += 1;
    const namespaceId = namespaceIdOf(storedKeys[0] as Uint8Array);
    this.#issuedIn.set(namespaceId, this.issuedIn(namespaceId) + 1);
    if (this.#watches.size === 0) return;
    const names = storedKeys.map(keyName);
    for (const watch of this.#watches) for (const name of names) if (watch.has(name)) watch.set(name, true);
  }

  /** Notes that the oldest write that was not settled is, whatever its outcome. */
  settled(): void {
    this.#settled += 1;
    while (this.#waiting.length > 0 && (this.#waiting[0]?.until as number) <= this.#settled)
      this.#waiting.shift()?.resolve();
  }

  /** Resolves when every write issued so far is settled. */
  drained(): Promise<void> {
    if (this.#settled === this.#issued) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ until: this.#issued, resolve }));
  }

  /** From now on remembers which of `storedKeys` are written. */
  watch(storedKeys: readonly Uint8Array[]): Watch {
    const written = new Map(storedKeys.map((key) => [keyName(key), false]));
    this.#watches.add(written);
    return {
      wasWritten: (key) => written.get(keyName(key)) === true,
      [Symbol.dispose]: () => {
        this.#watches.delete(written);
      },
    };
  }
}

export type Watch = Disposable & { wasWritten(storedKey: Uint8Array): boolean };
