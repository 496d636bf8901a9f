/**
 * Knows which writes are on their way to the engine, so that background deletion can tell whether a record that it
 * read is still the last word on its key.
 */
export class WriteTracker {
  readonly #watches = new Set<Map<string, boolean>>();
  readonly #inFlight = new Set<Promise<unknown>>();

  /** Notes a write of `storedKey` in the turn in which it is issued. */
  issued(storedKey: Uint8Array): void {
    if (this.#watches.size === 0) return;
    const name = nameOf(storedKey);
    for (const watch of this.#watches) if (watch.has(name)) watch.set(name, true);
  }

  /** Follows a write until it is settled. */
  follow(write: Promise<unknown>): void {
    this.#inFlight.add(write);
    const forget = (): void => {
      this.#inFlight.delete(write);
    };
    write.then(forget, forget);
  }

  /** Resolves when every write followed so far is settled. */
  async drained(): Promise<void> {
    await Promise.allSettled(this.#inFlight);
  }

  /** From now on remembers which of `storedKeys` are written. */
  watch(storedKeys: readonly Uint8Array[]): Watch {
    const written = new Map(storedKeys.map((key) => [nameOf(key), false]));
    this.#watches.add(written);
    return {
      wasWritten: (key) => written.get(nameOf(key)) === true,
      [Symbol.dispose]: () => {
        this.#watches.delete(written);
      },
    };
  }
}

export type Watch = Disposable & { wasWritten(storedKey: Uint8Array): boolean };

function nameOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1');
}
