import type { Config } from '../config/settings.ts';
import type { Clock } from '../ports/clock.ts';
import { type Certificate, openCertificate } from './http/certificate.ts';
import type { Logger } from './http/http-context.ts';
import { openTokens, type TokenTable } from './http/token-file.ts';
import type { Metrics } from './metrics.ts';
import { lookRegularly, type Reloaded } from './reloaded.ts';
import { isLoopback } from './remote-stop.ts';

/** What the HTTP interface reads from files that are replaced while it runs; undefined where there is no such file. */
export type HttpFiles = Disposable & {
  readonly tokens: Reloaded<TokenTable> | undefined;
  readonly certificate: Reloaded<Certificate> | undefined;
};

type Deps = { readonly clock: Clock; readonly log: Logger; readonly metrics: Metrics };

/** So long new files may lie there unread. */
const LOOK_MS = 1000;

/** Rejects where a file is named and cannot be used; a file that is wrong later is told of, and the one before counts. */
export async function openHttpFiles(config: Config, { clock, log, metrics }: Deps): Promise<HttpFiles> {
  const { 'http.tlsCert': cert, 'http.tlsKey': key, 'http.tokensFile': file } = config;
  const onError = (reason: string): void =>
    log.error({ reason }, 'new files cannot be used: those before stay in use');
  const tokens = file === '' ? undefined : await openTokens(file, onError);
  const certificate = cert === '' ? undefined : await openCertificate({ cert, key }, onError);
  tokens?.onChange(({ size }) => log.info({ tokens: size }, 'the tokens were read again'));
  certificate?.onChange((read) => log.info(expiryOf(read), 'the certificate was read again'));
  metrics.watchFiles(() => ({
    tokens: tokens && { isStale: tokens.isStale, count: tokens.value.size },
    certificate: certificate && { isStale: certificate.isStale, expiresAtMs: certificate.value.expiresAtMs },
  }));
  warnOfOpenDoors(config, log);
  const watched = [tokens, certificate].filter((each) => each !== undefined);
  const looking = watched.length === 0 ? undefined : lookRegularly(LOOK_MS, watched, clock);
  return { tokens, certificate, [Symbol.dispose]: () => looking?.[Symbol.dispose]() };
}

function expiryOf({ expiresAtMs }: Certificate): object {
  return { expiresAt: new Date(expiresAtMs).toISOString() };
}

/** Once, at the start, and only where others than this machine reach the port. */
function warnOfOpenDoors(config: Config, log: Logger): void {
  const host = config['http.host'];
  if (isLoopback(host)) return;
  if (config['http.tokensFile'] === '')
    log.warn(
      { host },
      'no tokens are needed: whoever reaches the HTTP port may do everything (http.tokensFile)',
    );
  else if (config['http.tlsCert'] === '')
    log.warn({ host }, 'tokens come in the clear: set http.tlsCert and http.tlsKey, or put TLS in front');
}
