import { readFile, stat } from 'node:fs/promises';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import type { TlsFiles } from './tls-files.ts';

/** The certificates in use. Files that changed are read again when the next connection is made. */
export class TlsSource {
  readonly #files: TlsFiles;
  readonly #onError: (message: string) => void;
  #loaded: {
    readonly stamp: string;
    readonly options: SecureContextOptions;
    readonly context: SecureContext;
  };
  #failedStamp: string | undefined;

  private constructor(
    files: TlsFiles,
    loaded: { stamp: string; options: SecureContextOptions; context: SecureContext },
    onError: (message: string) => void,
  ) {
    this.#files = files;
    this.#loaded = loaded;
    this.#onError = onError;
  }

  /** Rejects where the files cannot be read or do not belong together. */
  static async open(files: TlsFiles, onError: (message: string) => void): Promise<TlsSource> {
    try {
      return new TlsSource(files, await load(files, await stampOf(files)), onError);
    } catch (error) {
      throw new Error(describe(error), { cause: error });
    }
  }

  async context(): Promise<SecureContext> {
    await this.#refresh();
    return this.#loaded.context;
  }

  async options(): Promise<SecureContextOptions> {
    await this.#refresh();
    return this.#loaded.options;
  }

  /** Files that are being replaced may not fit each other for a moment: the old ones serve until they do. */
  async #refresh(): Promise<void> {
    let stamp: string | undefined;
    try {
      stamp = await stampOf(this.#files);
      if (stamp === this.#loaded.stamp || stamp === this.#failedStamp) return;
      this.#loaded = await load(this.#files, stamp);
      this.#failedStamp = undefined;
    } catch (error) {
      const key = stamp ?? 'unreadable';
      if (this.#failedStamp !== key) this.#onError(describe(error));
      this.#failedStamp = key;
    }
  }
}

async function load(files: TlsFiles, stamp: string) {
  const [cert, key, ca] = await Promise.all([readFile(files.cert), readFile(files.key), readFile(files.ca)]);
  const options: SecureContextOptions = { cert, key, ca, minVersion: 'TLSv1.3' };
  return { stamp, options, context: createSecureContext(options) };
}

async function stampOf({ cert, key, ca }: TlsFiles): Promise<string> {
  const stats = await Promise.all([cert, key, ca].map((file) => stat(file, { bigint: true })));
  return stats.map(({ mtimeNs, size, ino }) => `${mtimeNs}:${size}:${ino}`).join(' ');
}

function describe(error: unknown): string {
  return `the files peer.tlsCert, peer.tlsKey and peer.tlsCa cannot be used: ${(error as Error).message}`;
}
