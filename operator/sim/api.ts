import type { Clock } from '../../store/ports/clock.ts';
import { KubeError } from '../kube/kube-error.ts';
import type { KubeRequest } from '../kube/kube-request.ts';
import type { KubeObject, ObjectRef, Resource } from '../kube/resource.ts';
import { knownResources, leases, pods } from '../kube/resources.ts';
import { builtIn, discovered } from '../testing/fake-api-server.ts';
import { answer, matcherOf } from '../testing/fake-api-server-answers.ts';
import {
  type FakeCall,
  type FakeResource,
  targetOf,
  verbOf,
  WRITES,
} from '../testing/fake-api-server-call.ts';
import { ApiStatus, type Change, FakeObjects } from '../testing/fake-api-server-objects.ts';
import type { Cluster } from '../testing/fake-kubelets.ts';

const CALLS_KEPT = 2000;

/** The objects and answers of FakeApiServer without a network: a call has its effect at once, and what is drawn is drawn by the seed. */
export class SimApi implements Cluster {
  readonly objects: FakeObjects;
  /** The newest ones. */
  readonly calls: FakeCall[] = [];
  /** Of anything but leases. */
  writes = 0;
  /** Counts the changes of all objects but leases and events, whoever makes them. */
  changes = 0;
  readonly #resources: FakeResource[];
  /** Of paths that were called before. */
  readonly #targets = new Map<string, ReturnType<typeof targetOf>>();
  #uids = 0;
  #numbers = 0;

  constructor(resources: readonly FakeResource[], { clock }: { readonly clock: Clock }) {
    this.objects = new FakeObjects(
      () => clock.nowMs(),
      () => `uid-${++this.#uids}`,
    );
    this.#resources = [...resources, ...knownResources.map(builtIn)];
    this.onChange(({ resource }) => {
      if (resource.kind !== leases.kind && resource.kind !== 'Event') this.changes++;
    });
  }

  /** Somebody installs a kind. */
  define(resource: FakeResource): void {
    this.#resources.unshift(resource);
    this.#targets.clear();
  }

  callOf({ method, path, query = {}, body, contentType }: KubeRequest): FakeCall {
    const given = Object.entries(query).filter(([, value]) => value !== undefined);
    const params = new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
    const target = this.#targets.get(path) ?? targetOf(path, this.#resources);
    this.#targets.set(path, target);
    const headers = contentType === undefined ? {} : { 'content-type': contentType };
    return {
      ...{ number: ++this.#numbers, verb: verbOf(method, target, params, contentType) },
      ...{ ...target, path, query: params, headers, body, status: undefined },
    };
  }

  /** What the server says; throws KubeError. */
  answer(call: FakeCall): unknown {
    this.calls.push(call);
    if (this.calls.length > 2 * CALLS_KEPT) this.calls.splice(0, CALLS_KEPT);
    if (WRITES.includes(call.verb) && call.resource?.kind !== 'Lease') this.writes++;
    return asKubeError(call, () => {
      const { status, body } =
        call.verb === 'discover' ? discovered(this.#resources, call) : answer(this.objects, call, undefined);
      call.status = status;
      if (call.resource?.kind === pods.kind && isAtOnce(call))
        this.end(pods, { namespace: call.namespace, name: call.name ?? '' });
      return body;
    });
  }

  /** What has changed since the version that a watch begins with. */
  past(call: FakeCall): readonly Change[] {
    return asKubeError(call, () => {
      const version = Number(call.query.get('resourceVersion') ?? 0);
      return this.objects.changesSince(version);
    });
  }

  matches(call: FakeCall): (object: KubeObject) => boolean {
    const matches = matcherOf(call.query);
    return (object) =>
      (call.namespace === undefined || object.metadata.namespace === call.namespace) && matches(object);
  }

  get<T extends KubeObject>(resource: Resource<T>, ref: ObjectRef): T | undefined {
    return this.objects.get(resource, ref);
  }

  list<T extends KubeObject>(resource: Resource<T>): readonly T[] {
    return this.objects.list(resource);
  }

  put<T extends KubeObject>(resource: Resource<T>, object: T): T {
    return this.objects.put(resource, object);
  }

  remove(resource: Resource, ref: ObjectRef): void {
    if (this.objects.get(resource, ref) !== undefined) this.objects.remove(resource, ref);
  }

  /** Whoever might hold it is not waited for. */
  end(resource: Resource, ref: ObjectRef): void {
    const live = this.objects.get(resource, ref);
    if (live === undefined) return;
    this.objects.put(resource, { ...live, metadata: { ...live.metadata, finalizers: [] } });
    this.remove(resource, ref);
  }

  onChange(listener: (change: Change) => void): () => void {
    return this.objects.onChange(listener);
  }
}

function isAtOnce({ verb, body }: FakeCall): boolean {
  const { gracePeriodSeconds } = (body ?? {}) as { readonly gracePeriodSeconds?: number };
  return verb === 'delete' && gracePeriodSeconds === 0;
}

function asKubeError<T>(call: FakeCall, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof ApiStatus)) throw error;
    call.status = error.status;
    throw new KubeError(error.status, error.reason, `${call.verb} ${call.path}: ${error.message}`);
  }
}
