const TLS_RECORD_TYPES = { min: 0x14, max: 0x17 };

/** What another protocol's first bytes tell an operator, or undefined where they are not known. */
export function foreignProtocol(bytes: Uint8Array): string | undefined {
  const first = bytes[0] ?? 0;
  if (first >= TLS_RECORD_TYPES.min && first <= TLS_RECORD_TYPES.max && bytes[1] === 0x03) {
    return 'the other side speaks TLS and this node does not: set peer.tlsCert, peer.tlsKey and peer.tlsCa on all nodes, or on none';
  }
  const text = String.fromCharCode(...bytes.subarray(0, 8));
  if (/^(GET|PUT|POST|HEAD|DELETE|OPTIONS|PRI|HTTP)[ /]/.test(text)) {
    return 'the other side speaks HTTP: this is the port for other nodes (peer.port), clients use http.port';
  }
  return undefined;
}
