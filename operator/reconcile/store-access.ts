import type { Clock } from '../../store/ports/clock.ts';
import type { KVCluster } from '../api/kvcluster.ts';
import { authSecretName, tlsSecretName } from '../children/names.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { type Secret, secrets } from '../kube/resources.ts';
import type { StoreAccess } from '../store-view/store-view.ts';

/** What was read stands for so long: tokens and authorities are replaced with time to spare. */
const AGE_MS_MAX = 60_000;
const ROLE = 'admin';

type Known = { readonly access: StoreAccess; readonly readAtMs: number };

/** The token and the authority by which the operator speaks to a store; what is not there is not waited for. */
export class StoreAccessReader {
  readonly #client: KubeClient;
  readonly #clock: Clock;
  readonly #known = new Map<string, Known>();

  constructor(deps: { readonly client: KubeClient; readonly clock: Clock }) {
    this.#client = deps.client;
    this.#clock = deps.clock;
  }

  async read(cluster: KVCluster): Promise<StoreAccess> {
    const { auth, tls } = cluster.spec;
    if (!auth.enabled && tls?.http === undefined) return {};
    const key = cluster.metadata.uid;
    const nowMs = this.#clock.monotonicMs();
    const known = this.#known.get(key);
    if (known !== undefined && nowMs - known.readAtMs < AGE_MS_MAX) return known.access;
    const access = await this.#readNow(cluster);
    // A Secret that is only being made is asked for again at once.
    if (access.token !== undefined || !auth.enabled) this.#known.set(key, { access, readAtMs: nowMs });
    return access;
  }

  /** The KVCluster is gone. */
  forget(uid: string): void {
    this.#known.delete(uid);
  }

  async #readNow(cluster: KVCluster): Promise<StoreAccess> {
    const { auth, tls } = cluster.spec;
    const { namespace } = cluster.metadata;
    const read = async (name: string) => await this.#client.get(secrets, { namespace, name });
    const [tokens, certificate] = await Promise.all([
      auth.enabled ? read(authSecretName(cluster)) : undefined,
      tls?.http === undefined ? undefined : read(tlsSecretName(cluster, 'http', tls.http)),
    ]);
    return { token: textIn(tokens, ROLE), ca: textIn(certificate, 'ca.crt') };
  }
}

function textIn(secret: Secret | undefined, key: string): string | undefined {
  const base64 = secret?.data?.[key];
  return base64 === undefined ? undefined : Buffer.from(base64, 'base64').toString('utf8').trim();
}
