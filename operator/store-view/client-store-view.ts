import {
  type ClientOptions,
  KvorumClient,
  KvorumError,
  KvorumResponseError,
  type NodeStatus,
} from '@kvorum/client';
import type { NodeSeen, SettingsSeen, StoreSeen, TopologySeen } from '../core/observation.ts';
import { OPERATOR_NAME } from '../core/plan/act.ts';
import {
  type BootstrapCall,
  type OperationCall,
  type StoreAccess,
  StoreRefusal,
  type StoreTarget,
  type StoreView,
} from './store-view.ts';
import { topologySeen } from './topology-seen.ts';

/** Of one question to one node, and of one that any node may answer. */
const NODE_TIMEOUT_MS = 2000;
const STORE_TIMEOUT_MS = 5000;
/** Of a look: who has no leader after this long is seen to have none. */
const LOOK_TIMEOUT_MS = 2500;

type Clients = {
  readonly signature: string;
  readonly all: KvorumClient;
  readonly each: Map<string, KvorumClient>;
};

/** Clients are kept as long as the nodes stay the same: their connections are most of what a look costs. */
export class ClientStoreView implements StoreView, AsyncDisposable {
  readonly #clients = new Map<string, Clients>();

  async look(target: StoreTarget): Promise<StoreSeen> {
    if (target.nodes.length === 0) return { nodes: [], topology: undefined, heard: [] };
    const clients = await this.#of(target);
    const [nodes, topology] = await Promise.all([nodesSeen(clients), leaderSays(clients.all)]);
    const heard = topology === undefined ? await membersHeard(clients, nodes) : namesOf(topology);
    return { nodes, topology, heard };
  }

  async bootstrap(target: StoreTarget, { node, ...call }: BootstrapCall): Promise<void> {
    const { each } = await this.#of(target);
    const client = each.get(node);
    if (client === undefined) throw new StoreRefusal('NODE_NOT_FOUND', `${node} has no pod that runs`);
    await asked(client.bootstrap(call));
  }

  async start(target: StoreTarget, call: OperationCall): Promise<void> {
    const { all } = await this.#of(target);
    await asked(all.startOperation({ ...call, by: OPERATOR_NAME }));
  }

  async cancel(target: StoreTarget, operation: string): Promise<void> {
    const { all } = await this.#of(target);
    await asked(all.cancelOperation(operation));
  }

  async askToStop(
    target: StoreTarget,
    node: string,
    { isLook }: { readonly isLook: boolean },
  ): Promise<void> {
    const { all } = await this.#of(target);
    const { canStop, reasons } = await asked(all.canStop(node, { look: isLook }));
    if (!canStop) throw new StoreRefusal('CANNOT_STOP', reasons.join('; '));
  }

  async setZone(target: StoreTarget, member: string, zone: string): Promise<void> {
    const { all } = await this.#of(target);
    await asked(all.updateMember(member, { zone }));
  }

  async forget(key: string): Promise<void> {
    const clients = this.#clients.get(key);
    this.#clients.delete(key);
    if (clients !== undefined) await closeAll(clients);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#clients.keys()].map((key) => this.forget(key)));
  }

  async #of({ key, nodes, access }: StoreTarget): Promise<Clients> {
    const signature = JSON.stringify([nodes, access]);
    const known = this.#clients.get(key);
    if (known?.signature === signature) return known;
    const options = { ...optionsOf(access), ring: false as const };
    const all = new KvorumClient({
      url: nodes.map(({ url }) => url),
      timeoutMs: STORE_TIMEOUT_MS,
      ...options,
    });
    const one = { timeoutMs: NODE_TIMEOUT_MS, retry: { attemptsMax: 1 }, ...options };
    const each = new Map(nodes.map(({ name, url }) => [name, new KvorumClient({ url, ...one })]));
    const clients = { signature, all, each };
    this.#clients.set(key, clients);
    if (known !== undefined) await closeAll(known);
    return clients;
  }
}

function optionsOf({ token, ca }: StoreAccess): Pick<ClientOptions, 'token' | 'tls'> {
  return { ...(token !== undefined && { token }), ...(ca !== undefined && { tls: { ca } }) };
}

/** What each node says of itself; those that do not answer are left out. */
async function nodesSeen({ each }: Clients): Promise<readonly NodeSeen[]> {
  const asked = [...each.values()].map((client) =>
    Promise.all([orNothing(client.cluster()), orNothing(client.status())]),
  );
  return (await Promise.all(asked)).flatMap(([cluster, status]) => {
    if (cluster === undefined) return [];
    const { name, state, reason } = cluster.node;
    return [{ name, state, clusterId: cluster.clusterId, reason, settings: status && settingsSeen(status) }];
  });
}

function settingsSeen({ config }: NodeStatus): SettingsSeen {
  if (config?.fileHash === undefined) return { type: 'fixed' };
  const { fileHash, problem, refusedHash } = config;
  return {
    type: 'live',
    fileHash,
    refused: problem === undefined ? undefined : { fileHash: refusedHash, problem },
  };
}

async function leaderSays(client: KvorumClient): Promise<TopologySeen | undefined> {
  const timeoutMs = LOOK_TIMEOUT_MS;
  const [topology, list, running] = await Promise.all([
    orNothing(client.topology({ timeoutMs })),
    orNothing(client.members({ consistency: 'local', timeoutMs })),
    orNothing(client.operations({ consistency: 'local', state: 'running', timeoutMs })),
  ]);
  if (topology === undefined || list === undefined || running === undefined) return undefined;
  return topologySeen({ topology, members: list.members, operations: running.operations });
}

/** Of a node that is a member, and may be behind. */
async function membersHeard({ each }: Clients, nodes: readonly NodeSeen[]): Promise<readonly string[]> {
  const ofMembers = nodes.filter(({ state }) => state === 'member').map(({ name }) => each.get(name));
  const options = { consistency: 'local' } as const;
  const lists = await Promise.all(ofMembers.map((client) => client && orNothing(client.members(options))));
  const newest = lists.flatMap((list) => list ?? []).toSorted((a, b) => b.epoch - a.epoch)[0];
  return newest?.members.map(({ name }) => name) ?? [];
}

function namesOf({ members }: TopologySeen): readonly string[] {
  return members.map(({ name }) => name);
}

async function orNothing<T>(asking: Promise<T>): Promise<T | undefined> {
  try {
    return await asking;
  } catch (error) {
    if (error instanceof KvorumError) return undefined;
    throw error;
  }
}

/** What the store says no to is told apart from what went wrong. */
async function asked<T>(asking: Promise<T>): Promise<T> {
  try {
    return await asking;
  } catch (error) {
    if (error instanceof KvorumResponseError && !error.retryable)
      throw new StoreRefusal(error.code ?? 'REFUSED', error.message);
    throw error;
  }
}

async function closeAll({ all, each }: Clients): Promise<void> {
  await Promise.all([all, ...each.values()].map((client) => client.close()));
}
