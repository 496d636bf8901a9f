import type { KvorumClient } from '../../client/src/index.ts';
import type { KVClusterSpecInput, KVClusterStatus } from '../../operator/api/kvcluster.ts';
import { API_VERSION, KIND } from '../../operator/api/kvcluster.ts';
import type { Condition, ConditionType } from '../../operator/api/kvcluster-status.ts';
import {
  type CoreEvent,
  coreEvents,
  type Pod,
  pods,
  secrets,
  services,
} from '../../operator/kube/resources.ts';
import { kvClusters, type RawCluster } from '../../operator/reconcile/kinds.ts';
import { until } from './kubectl.ts';
import type { Scene } from './scenario.ts';
import { type StoreAddress, storeClient } from './store-client.ts';

const SETTLE_LIMIT_MS = 300_000;
/** Small, so that several find room on one node. */
const SMALL: KVClusterSpecInput = {
  storage: { size: '1Gi' },
  resources: { requests: { cpu: '50m', memory: '128Mi' }, limits: { memory: '512Mi' } },
};

/** A KVCluster in the namespace of a scenario, by its name. Whether it is there is another question. */
export class KvCluster {
  readonly name: string;
  readonly #scene: Scene;

  constructor(scene: Scene, name = 'demo') {
    this.#scene = scene;
    this.name = name;
  }

  /** Applies one of the image of the scenario, and does not wait for it. What `spec` says goes before what is small. */
  static async create(scene: Scene, spec: KVClusterSpecInput = {}, name = 'demo'): Promise<KvCluster> {
    const cluster = new KvCluster(scene, name);
    await cluster.apply({ ...SMALL, image: imageOf(scene.image), ...spec });
    return cluster;
  }

  /** A step that makes one and waits until it is as wished; `what` it then is, is how it is told of. */
  static async settled(scene: Scene, what: string, spec: KVClusterSpecInput = {}): Promise<KvCluster> {
    return await scene.step(what, async () => {
      const cluster = await KvCluster.create(scene, spec);
      await cluster.untilSettled();
      return cluster;
    });
  }

  /** As `kubectl apply` does it: what was applied before and is not said now goes back to its default. */
  async apply(spec: KVClusterSpecInput): Promise<void> {
    const object = { apiVersion: API_VERSION, kind: KIND, metadata: { name: this.name }, spec };
    await this.#scene.kubectl.apply(JSON.stringify(object));
  }

  /** A merge patch of the spec: null removes a field. */
  async patch(spec: object): Promise<void> {
    await this.#scene.kube.mergePatch(kvClusters, this.#ref, { spec });
  }

  async scale(replicas: number): Promise<void> {
    await this.#scene.kubectl.run('scale', `kvc/${this.name}`, '--replicas', String(replicas));
  }

  async get(): Promise<RawCluster> {
    const found = await this.#scene.kube.get(kvClusters, this.#ref);
    if (found === undefined) throw new Error(`there is no KVCluster ${this.name}`);
    return found;
  }

  /** Nothing before the operator has seen it. */
  async status(): Promise<KVClusterStatus> {
    return (await this.get()).status ?? {};
  }

  /**
   * What it is asked to be it is: conditions that speak of the newest spec say so, and in the store every member has its share and nothing
   * moves. The latter is asked of the store itself, since the operator hears of what the store begins by itself some seconds later.
   */
  async untilSettled(limitMs = SETTLE_LIMIT_MS): Promise<KVClusterStatus> {
    return await until(`${this.name} is as wished`, limitMs, async () => {
      const { metadata, spec, status } = await this.get();
      const unmet = unmetOf(metadata.generation, status);
      if (unmet !== undefined) throw new Error(unmet);
      const { replicas = 3 } = spec as KVClusterSpecInput;
      const moving = await this.#movingOf(replicas);
      if (moving !== undefined) throw new Error(moving);
      return status;
    });
  }

  /** The condition as it then is, told of the newest spec; throws with what it was last. */
  async untilCondition(
    type: ConditionType,
    wanted: Condition['status'],
    limitMs = SETTLE_LIMIT_MS,
  ): Promise<Condition> {
    return await until(`${type} is ${wanted}`, limitMs, async () => {
      const { metadata, status } = await this.get();
      const found = conditionOf(status, type);
      if (found?.status === wanted && found.observedGeneration === metadata.generation) return found;
      throw new Error(`${type} is ${JSON.stringify(found)} and the generation ${metadata.generation}`);
    });
  }

  /** By their ordinals. */
  async pods(): Promise<readonly Pod[]> {
    const labelSelector = `app.kubernetes.io/instance=${this.name},app.kubernetes.io/component=store`;
    const { namespace } = this.#ref;
    const { items } = await this.#scene.kube.list(pods, { namespace, labelSelector });
    return items.toSorted((a, b) => ordinalOf(a.metadata.name) - ordinalOf(b.metadata.name));
  }

  /** Events about it, as `kubectl describe` tells them. */
  async events(): Promise<readonly CoreEvent[]> {
    const { namespace } = this.#ref;
    const { items } = await this.#scene.kube.list(coreEvents, { namespace });
    return items.filter(({ involvedObject: { kind, name } }) => kind === KIND && name === this.name);
  }

  /** The client Service, and the token where requests need one. */
  async address(): Promise<StoreAddress> {
    const service = await this.#scene.kube.get(services, this.#ref);
    const host = service?.spec?.clusterIP;
    if (host === undefined) throw new Error(`there is no Service ${this.name}`);
    const { auth } = (await this.get()).spec as KVClusterSpecInput;
    const url = `http://${host}:7400`;
    if (auth?.enabled !== true) return { url };
    return { url, token: await this.#token(auth.secretName ?? `${this.name}-auth`) };
  }

  /** To be closed by who asks for it. */
  async client(): Promise<KvorumClient> {
    return storeClient(await this.address());
  }

  get #ref(): { readonly namespace: string; readonly name: string } {
    return { namespace: this.#scene.kubectl.namespace, name: this.name };
  }

  async #token(secretName: string): Promise<string> {
    const secret = await this.#scene.kube.get(secrets, { ...this.#ref, name: secretName });
    const token = secret?.data?.admin;
    if (token === undefined) throw new Error(`there is no token admin in the Secret ${secretName}`);
    return Buffer.from(token, 'base64').toString('utf8').trim();
  }

  /** Why the data is not where it should be; undefined where it is. */
  async #movingOf(replicas: number): Promise<string | undefined> {
    await using client = await this.client();
    const { operations } = await client.operations();
    const running = operations.filter(({ state }) => state === 'running').map(({ id }) => id);
    if (running.length > 0) return `${running.join(', ')} is under way`;
    const { members, sets } = await client.ring();
    const owners = new Set(sets.flatMap((set) => set.replicas));
    const isWhole =
      members.length === replicas && members.every(({ number, isUp }) => isUp && owners.has(number));
    const text = members.map(({ name, isUp, number }) => `${name} ${isUp} ${owners.has(number)}`).join(', ');
    return isWhole ? undefined : `not all of ${replicas} members are up and own data: ${text}`;
  }
}

/** Name and tag apart, as the spec has them. */
export function imageOf(image: string): { readonly repository: string; readonly tag: string } {
  const colon = image.lastIndexOf(':');
  return { repository: image.slice(0, colon), tag: image.slice(colon + 1) };
}

export function conditionOf(status: KVClusterStatus | undefined, type: ConditionType): Condition | undefined {
  return status?.conditions?.find((condition) => condition.type === type);
}

export function ordinalOf(pod: string): number {
  return Number(pod.slice(pod.lastIndexOf('-') + 1));
}

const SETTLED = { Ready: 'True', Progressing: 'False', Degraded: 'False' } as const;

function unmetOf(generation: number | undefined, status: KVClusterStatus | undefined): string | undefined {
  if (status?.observedGeneration !== generation)
    return `generation ${generation} is not observed: ${status?.observedGeneration}`;
  for (const [type, wanted] of Object.entries(SETTLED)) {
    const found = conditionOf(status, type as ConditionType);
    const isIt = found?.status === wanted && found.observedGeneration === generation;
    if (!isIt) return `${type} is ${found?.status}: ${found?.reason}, ${found?.message}`;
  }
  return undefined;
}
