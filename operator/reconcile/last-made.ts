/** What was made last under a name, for as long as what it is made of says the same: who looks every few seconds mostly finds it so. */
export class LastMade<T> {
  readonly #last = new Map<string, { readonly of: string; readonly value: T }>();

  /** `of` says everything that `make` depends on. */
  get(name: string, of: string, make: () => T): T {
    const last = this.#last.get(name);
    if (last?.of === of) return last.value;
    const value = make();
    this.#last.set(name, { of, value });
    return value;
  }

  forget(name: string): void {
    this.#last.delete(name);
  }
}
