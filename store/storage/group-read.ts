import { EngineClosedError } from './engine.ts';

/**
 * Reads that were asked for in the same turn, or while others are under way, go to the disk together: the hop to
 * another thread costs ten times the lookup of a cached value, and is shared this way.
 */
export type GroupReadOptions = { readonly groupKeysMax: number };

export type GroupReadDeps = {
  /** The values in the order of `keys`; null for what did not fit and has to be asked for again. */
  read(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined | null)[]>;
  defer(flush: () => void): void;
};

type Waiting = {
  readonly key: Uint8Array;
  readonly resolve: (value: Uint8Array | undefined) => void;
  readonly reject: (error: Error) => void;
};

export class GroupRead {
  readonly #options: GroupReadOptions;
  readonly #deps: GroupReadDeps;
  #queue: Waiting[] = [];
  #isBusy = false;
  #isClosed = false;
  #idle: (() => void)[] = [];

  constructor(options: GroupReadOptions, deps: GroupReadDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  get(key: Uint8Array): Promise<Uint8Array | undefined> {
    if (this.#isClosed) return Promise.reject(new EngineClosedError());
    return new Promise((resolve, reject) => {
      this.#queue.push({ key, resolve, reject });
      if (this.#isBusy) return;
      this.#isBusy = true;
      this.#deps.defer(() => void this.#readNext());
    });
  }

  async getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    if (this.#isClosed) throw new EngineClosedError();
    return await Promise.all(keys.map((key) => this.get(key)));
  }

  /** Refuses further reads; resolves when those that were accepted are settled. */
  close(): Promise<void> {
    this.#isClosed = true;
    if (!this.#isBusy) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  async #readNext(): Promise<void> {
    const taken = this.#queue.splice(0, this.#options.groupKeysMax);
    try {
      const values = await this.#deps.read(taken.map((waiting) => waiting.key));
      this.#settle(taken, values);
    } catch (error) {
      await this.#readApart(taken, error as Error);
    }
    this.#isBusy = this.#queue.length > 0;
    if (this.#isBusy) this.#deps.defer(() => void this.#readNext());
    else for (const resolve of this.#idle.splice(0)) resolve();
  }

  #settle(taken: readonly Waiting[], values: readonly (Uint8Array | undefined | null)[]): void {
    const leftOut: Waiting[] = [];
    taken.forEach((waiting, i) => {
      const value = values[i];
      if (value === null) leftOut.push(waiting);
      else waiting.resolve(value);
    });
    this.#queue = [...leftOut, ...this.#queue];
  }

  /** A group fails as a whole: one by one, only the reads of damaged blocks do. */
  async #readApart(taken: readonly Waiting[], error: Error): Promise<void> {
    if (taken.length === 1) return taken[0]?.reject(error);
    for (const waiting of taken) {
      try {
        this.#settle([waiting], await this.#deps.read([waiting.key]));
      } catch (reason) {
        waiting.reject(reason as Error);
      }
    }
  }
}
