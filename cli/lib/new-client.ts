import { readFileSync } from 'node:fs';
import { KvorumClient } from '@kvorum/client';
import { usageError } from './cli-error.ts';
import { urlsOf } from './parse-option.ts';

/** Where a node is, and what is shown to it. */
export type ConnectionOptions = {
  /** One, or several with commas between them: `urlsOf`. */
  readonly url: string;
  readonly timeout: number;
  /** The file of the token; without it KVORUM_TOKEN holds the token itself. */
  readonly tokenFile?: string;
  /** PEM file of the authority of the nodes. */
  readonly ca?: string;
};

/** For so long a token is used before its file is read again: a shell outlives a token. */
const TOKEN_AGE_MS_MAX = 1000;

/** `url`: another one than that of the options. */
export function newClient(
  options: ConnectionOptions,
  { url, ring }: { readonly url?: string; readonly ring?: boolean } = {},
): KvorumClient {
  const ca = caOf(options);
  return new KvorumClient({
    url: url ?? urlsOf(options.url),
    timeoutMs: options.timeout,
    ...(ring !== undefined && { ring }),
    ...(ca !== undefined && { tls: { ca } }),
    token: tokenSource(options),
  });
}

/** The token as it is now; undefined where there is none. Throws at once where the file of one cannot be used. */
export function tokenSource({ tokenFile }: ConnectionOptions): () => string | undefined {
  if (tokenFile === undefined) {
    const token = process.env.KVORUM_TOKEN?.trim();
    return () => (token === '' ? undefined : token);
  }
  let token = readToken(tokenFile);
  let readAtMs = performance.now();
  return () => {
    if (performance.now() - readAtMs < TOKEN_AGE_MS_MAX) return token;
    readAtMs = performance.now();
    try {
      token = readToken(tokenFile);
    } catch {
      // It is being replaced: the one before is as good as any until then.
    }
    return token;
  };
}

export function caOf({ ca }: Pick<ConnectionOptions, 'ca'>): Buffer | undefined {
  return ca === undefined ? undefined : readOr(ca, '--ca: the PEM file of the authority');
}

function readToken(file: string): string {
  const token = readOr(file, '--token-file').toString('utf8').trim();
  if (/^[!-~]+$/.test(token)) return token;
  throw usageError(
    `--token-file ${file} does not hold a token: one line of printable characters is expected`,
  );
}

function readOr(file: string, what: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw usageError(`${what} cannot be read: ${(error as Error).message}`);
  }
}

/** The URL of a member that says it is at `httpAddress`: by TLS where the other node was asked so, too. */
export function memberUrl({ url }: Pick<ConnectionOptions, 'url'>, httpAddress: string): string {
  if (/^https?:\/\//.test(httpAddress)) return httpAddress;
  const isTls = urlsOf(url).some((each) => each.startsWith('https:'));
  return `${isTls ? 'https' : 'http'}://${httpAddress}`;
}
