import type { Config } from '../config/settings.ts';

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/;

/**
 * Nobody has to show who they are: whoever reaches the port may stop the node. By itself that is allowed only where they must be on the
 * same machine.
 */
export function allowsRemoteStop(config: Pick<Config, 'http.remoteStop' | 'http.host'>): boolean {
  switch (config['http.remoteStop']) {
    case 'on':
      return true;
    case 'off':
      return false;
    case 'auto':
      return LOOPBACK.test(config['http.host']);
  }
}
