import type { Config } from '../config/settings.ts';

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/;

/** Whether the host is one that only this machine reaches. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host);
}

/**
 * Without tokens nobody has to show who they are: whoever reaches the port may stop the node. By itself that is allowed only where they
 * must be on the same machine, or show a token with the role admin.
 */
export function allowsRemoteStop(
  config: Pick<Config, 'http.remoteStop' | 'http.host' | 'http.tokensFile'>,
): boolean {
  switch (config['http.remoteStop']) {
    case 'on':
      return true;
    case 'off':
      return false;
    case 'auto':
      return isLoopback(config['http.host']) || config['http.tokensFile'] !== '';
  }
}
