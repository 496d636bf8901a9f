import { readFile, stat } from 'node:fs/promises';
import type { Clock } from '../ports/clock.ts';

export type ReloadedOptions<T> = {
  readonly files: readonly string[];
  /** As errors call them, such as `the files peer.tlsCert and peer.tlsKey`. */
  readonly name: string;
  /** What the contents mean, in the order of `files`. Throws where they mean nothing, or do not fit each other. */
  readonly read: (contents: readonly Buffer[]) => T;
  /** Called once for each change of the files that cannot be used. */
  readonly onError: (message: string) => void;
};

/**
 * What was read from files that are replaced while the process runs. Files that are being replaced may not fit each other
 * for a moment, and new ones may be wrong: what was read before counts until they can be used.
 */
export class Reloaded<T> {
  readonly #options: ReloadedOptions<T>;
  readonly #listeners: ((value: T) => void)[] = [];
  #loaded: { readonly stamp: string; readonly value: T };
  #failedStamp: string | undefined;

  private constructor(options: ReloadedOptions<T>, loaded: { readonly stamp: string; readonly value: T }) {
    this.#options = options;
    this.#loaded = loaded;
  }

  /** Rejects where the files cannot be used. */
  static async open<T>(options: ReloadedOptions<T>): Promise<Reloaded<T>> {
    try {
      return new Reloaded(options, await load(options, await stampOf(options.files)));
    } catch (error) {
      throw new Error(describe(options, error), { cause: error });
    }
  }

  get value(): T {
    return this.#loaded.value;
  }

  /** Whether the files are not those that are in use, since they cannot be used. */
  get isStale(): boolean {
    return this.#failedStamp !== undefined;
  }

  /** `listener` is told of each new value from now on. */
  onChange(listener: (value: T) => void): void {
    this.#listeners.push(listener);
  }

  /** Reads the files where they are not those in use. Never rejects. */
  async look(): Promise<void> {
    let stamp: string | undefined;
    try {
      stamp = await stampOf(this.#options.files);
      if (stamp !== this.#loaded.stamp) {
        this.#loaded = await load(this.#options, stamp);
        for (const listener of this.#listeners) listener(this.#loaded.value);
      }
      this.#failedStamp = undefined;
    } catch (error) {
      const key = stamp ?? 'unreadable';
      if (this.#failedStamp !== key) this.#options.onError(describe(this.#options, error));
      this.#failedStamp = key;
    }
  }
}

/** Looks at the files every `intervalMs` until it is disposed. */
export function lookRegularly(
  intervalMs: number,
  watched: readonly { look(): Promise<void> }[],
  clock: Clock,
): Disposable {
  let isOver = false;
  const next = () => clock.setTimer(intervalMs, () => void round());
  const round = async (): Promise<void> => {
    for (const each of watched) await each.look();
    if (!isOver) timer = next();
  };
  let timer = next();
  return {
    [Symbol.dispose]: () => {
      isOver = true;
      timer.cancel();
    },
  };
}

async function load<T>({ files, read }: ReloadedOptions<T>, stamp: string) {
  return { stamp, value: read(await Promise.all(files.map((file) => readFile(file)))) };
}

/** Through links: Kubernetes replaces a whole directory by changing one. */
async function stampOf(files: readonly string[]): Promise<string> {
  const stats = await Promise.all(files.map((file) => stat(file, { bigint: true })));
  return stats.map(({ mtimeNs, size, ino }) => `${mtimeNs}:${size}:${ino}`).join(' ');
}

function describe({ name }: { readonly name: string }, error: unknown): string {
  return `${name} cannot be used: ${(error as Error).message}`;
}
