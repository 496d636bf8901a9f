/** Where a node is asked. */
export type NodeAddress = {
  /** `http://host:port` */
  readonly origin: string;
  /** Under which a proxy serves the node; empty, or without a slash at its end. */
  readonly pathPrefix: string;
  readonly isTls: boolean;
  /** Without the brackets of an IPv6 address. */
  readonly host: string;
  readonly port: number;
};

/** Throws TypeError for what is no HTTP URL. */
export function addressOf(url: string): NodeAddress {
  const { protocol, hostname, port, origin, pathname } = new URL(url);
  if (protocol !== 'http:' && protocol !== 'https:')
    throw new TypeError(`${url} is not an http or https URL`);
  const isTls = protocol === 'https:';
  return {
    origin,
    pathPrefix: pathname.replace(/\/+$/, ''),
    isTls,
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: port === '' ? (isTls ? 443 : 80) : Number(port),
  };
}

/**
 * The address of a member that says it is at `httpAddress` (`host:port`, or `https://host:port`), as `asked` told. Without a
 * scheme it is that of `asked`; over TLS nobody is led to where there is none. Undefined where the address means nothing here: no address at all, one that a process listens at without being found there (0.0.0.0), or the loopback
 * of another machine, behind which somebody else's cluster may answer.
 */
export function memberAddress(httpAddress: string, asked: NodeAddress): NodeAddress | undefined {
  const hasScheme = /^https?:\/\//.test(httpAddress);
  const url = hasScheme ? httpAddress : `${asked.isTls ? 'https' : 'http'}://${httpAddress}`;
  if (!URL.canParse(url)) return undefined;
  const address = addressOf(url);
  if (asked.isTls && !address.isTls) return undefined;
  if (address.host === '0.0.0.0' || address.host === '::') return undefined;
  return isLoopback(address.host) && !isLoopback(asked.host) ? undefined : address;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}
