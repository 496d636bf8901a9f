import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { Reloaded } from '../reloaded.ts';
import type { TlsFiles } from './tls-files.ts';

type Loaded = { readonly options: SecureContextOptions; readonly context: SecureContext };

/** The certificates in use. Files that changed are read again when the next connection is made. */
export class TlsSource {
  readonly #files: Reloaded<Loaded>;

  private constructor(files: Reloaded<Loaded>) {
    this.#files = files;
  }

  /** Rejects where the files cannot be read or do not belong together. */
  static async open({ cert, key, ca }: TlsFiles, onError: (message: string) => void): Promise<TlsSource> {
    const name = 'the files peer.tlsCert, peer.tlsKey and peer.tlsCa';
    return new TlsSource(await Reloaded.open({ files: [cert, key, ca], name, read, onError }));
  }

  async context(): Promise<SecureContext> {
    await this.#files.look();
    return this.#files.value.context;
  }

  async options(): Promise<SecureContextOptions> {
    await this.#files.look();
    return this.#files.value.options;
  }
}

function read([cert, key, ca]: readonly Buffer[]): Loaded {
  const options: SecureContextOptions = { cert, key, ca, minVersion: 'TLSv1.3' };
  return { options, context: createSecureContext(options) };
}
