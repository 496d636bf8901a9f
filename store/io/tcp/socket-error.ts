/** Node's errors, with what TLS has to do with them. */
export function explain(error: Error & { readonly code?: string }): string {
  const code = error.code ?? '';
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG') {
    return 'the other side does not speak TLS: set peer.tlsCert, peer.tlsKey and peer.tlsCa on all nodes, or on none';
  }
  if (/before secure TLS connection was established/.test(error.message)) {
    return 'the connection was closed before TLS was agreed: the other side may not speak TLS; set peer.tlsCert, peer.tlsKey and peer.tlsCa on all nodes, or on none';
  }
  if (/SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|CERT_/.test(code)) {
    return `the certificate of the other side is not accepted: ${error.message} (${code}); peer.tlsCa must hold the authority that signed it`;
  }
  if (/ALERT_(UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE|UNSUPPORTED_CERTIFICATE|ACCESS_DENIED)/.test(code)) {
    return `the other side does not accept the certificate of this node (${code}); its peer.tlsCa must hold the authority that signed peer.tlsCert`;
  }
  return error.message;
}
