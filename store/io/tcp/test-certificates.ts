import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TlsFiles } from './tls-files.ts';

const openssl = (...args: readonly string[]): void => {
  execFileSync('openssl', args, { stdio: 'pipe' });
};

/** An authority with its key in `directory`/NAME-ca.*, made with the openssl command. */
export function makeAuthority(directory: string, name: string): string {
  mkdirSync(directory, { recursive: true });
  const at = join(directory, `${name}-ca`);
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${at}.key`];
  openssl('req', '-x509', ...key, '-out', `${at}.pem`, '-days', '2', '-subj', `/CN=${name} authority`);
  return at;
}

/** What stands in a certificate that is shown to clients of this machine. */
export const LOCAL_NAMES = 'DNS:localhost,IP:127.0.0.1,IP:::1';

/** A certificate of `name` that `authority` signed, for both ends of a link; `names` are those that clients compare. */
export function makeCertificate(
  authority: string,
  directory: string,
  name: string,
  names = 'DNS:peers.invalid',
): TlsFiles {
  mkdirSync(directory, { recursive: true });
  const at = join(directory, name);
  const extensions = `${at}.ext`;
  writeFileSync(extensions, `extendedKeyUsage=serverAuth,clientAuth\nsubjectAltName=${names}\n`);
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${at}.key`];
  openssl('req', '-new', ...key, '-out', `${at}.csr`, '-subj', `/CN=${name}`);
  const signed = ['-CA', `${authority}.pem`, '-CAkey', `${authority}.key`, '-CAcreateserial', '-days', '2'];
  openssl('x509', '-req', '-in', `${at}.csr`, ...signed, '-extfile', extensions, '-out', `${at}.pem`);
  return { cert: `${at}.pem`, key: `${at}.key`, ca: `${authority}.pem` };
}
