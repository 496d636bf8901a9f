import { Resolver } from 'node:dns/promises';
import { readFileSync } from 'node:fs';

/**
 * Whether the Service that stands for all nodes is gone from the DNS of Kubernetes. It is deleted together with the cluster that it belongs to,
 * before or while its pods end, and nothing within a pod says so otherwise. Only a name server that says twice in a row that there is no such
 * name is believed: one that does not answer, or knows a name without addresses, says nothing.
 */
export class ServiceGone {
  readonly #name: string | undefined;
  readonly #resolver: Pick<Resolver, 'resolve4'>;
  #denials = 0;

  /** `name` with the domain of the cluster; undefined where there is no such Service, which is never gone. */
  constructor(name: string | undefined, deps: { readonly resolver: Pick<Resolver, 'resolve4'> }) {
    this.#name = name;
    this.#resolver = deps.resolver;
  }

  async ask(): Promise<boolean> {
    if (this.#name === undefined) return false;
    try {
      await this.#resolver.resolve4(this.#name);
      this.#denials = 0;
    } catch (error) {
      this.#denials = (error as NodeJS.ErrnoException).code === NO_SUCH_NAME ? this.#denials + 1 : 0;
    }
    return this.#denials >= DENIALS_MIN;
  }
}

/** NXDOMAIN; a name without addresses is ENODATA. */
const NO_SUCH_NAME = 'ENOTFOUND';
const DENIALS_MIN = 2;
const QUERY_TIMEOUT_MS = 1000;

/** Of the pod that this runs in, by the address under which its node is told of to others: POD.SERVICE.NAMESPACE.svc:PORT. */
export function ownService(resolvConf = '/etc/resolv.conf'): ServiceGone {
  const host = process.env.KVORUM_PEER_ADVERTISE?.replace(/:\d+$/, '');
  const resolver = new Resolver({ timeout: QUERY_TIMEOUT_MS, tries: 1 });
  return new ServiceGone(serviceName(host, readOrNothing(resolvConf)), { resolver });
}

/** `kv-peers.shop.svc.cluster.local.` of `kv-0.kv-peers.shop.svc`: the domain is what the resolver of a pod searches. */
export function serviceName(host: string | undefined, resolvConf: string): string | undefined {
  const service = /^[^.]+\.([^.]+\.[^.]+\.svc)$/.exec(host ?? '')?.[1];
  const searched = /^search\s+(.*)$/m.exec(resolvConf)?.[1]?.split(/\s+/) ?? [];
  const domain = searched.find((each) => each.startsWith('svc.'));
  return service === undefined || domain === undefined
    ? undefined
    : `${service}${domain.slice('svc'.length)}`;
}

function readOrNothing(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
