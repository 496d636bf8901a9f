/** PEM files: this node's certificate and key, and the authority that peers must be signed by. */
export type TlsFiles = { readonly cert: string; readonly key: string; readonly ca: string };

/** Undefined where none is named. Throws where only some are. */
export function tlsFiles(cert: string, key: string, ca: string): TlsFiles | undefined {
  const named = { 'peer.tlsCert': cert, 'peer.tlsKey': key, 'peer.tlsCa': ca };
  const missing = Object.entries(named).filter(([, file]) => file === '');
  if (missing.length === 3) return undefined;
  if (missing.length === 0) return { cert, key, ca };
  const names = missing.map(([name]) => name).join(' and ');
  throw new Error(
    `${names} not set: TLS between nodes needs peer.tlsCert, peer.tlsKey and peer.tlsCa, or none`,
  );
}
