import { X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { Reloaded } from '../reloaded.ts';

/** What a client of the interface is shown. */
export type Certificate = {
  readonly options: Pick<SecureContextOptions, 'cert' | 'key' | 'minVersion'>;
  /** Milliseconds since 1970. */
  readonly expiresAtMs: number;
};

/** The certificate in the files, in use as long as no other can be read there. Rejects where they cannot be used. */
export function openCertificate(
  { cert, key }: { readonly cert: string; readonly key: string },
  onError: (message: string) => void,
): Promise<Reloaded<Certificate>> {
  const name = `http.tlsCert ${cert} and http.tlsKey ${key}`;
  return Reloaded.open({ files: [cert, key], name, read, onError });
}

function read([cert, key]: readonly Buffer[]): Certificate {
  const options = { cert, key, minVersion: 'TLSv1.2' } as Certificate['options'];
  createSecureContext(options); // throws where the key is that of another certificate
  return { options, expiresAtMs: new X509Certificate(cert as Buffer).validToDate.getTime() };
}
