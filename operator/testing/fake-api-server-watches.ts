import type { ServerResponse } from 'node:http';
import type { KubeObject } from '../kube/resource.ts';
import type { FakeCall } from './fake-api-server-call.ts';
import type { Change, FakeObjects } from './fake-api-server-objects.ts';

type Matches = (object: KubeObject) => boolean;

type Watch = {
  readonly call: FakeCall;
  readonly response: ServerResponse;
  readonly matches: Matches;
  isFrozen: boolean;
  /** Events that are held back until there are so many, and then sent the wrong way round. */
  held: string[];
  holdUntil: number;
};

/** The open watches, and what may go wrong with them. */
export class FakeWatches {
  readonly #watches = new Set<Watch>();
  readonly #objects: FakeObjects;
  #isLost: (change: Change) => boolean = () => false;

  constructor(objects: FakeObjects) {
    this.#objects = objects;
    objects.onChange((change) => {
      if (!this.#isLost(change)) for (const watch of this.#watches) this.#tell(watch, change);
    });
  }

  get size(): number {
    return this.#watches.size;
  }

  /** Sends what changed since `version`, and then each change as it comes. */
  open(call: FakeCall, response: ServerResponse, matches: Matches, past: readonly Change[]): void {
    const watch: Watch = { call, response, matches, isFrozen: false, held: [], holdUntil: 0 };
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    for (const change of past) this.#tell(watch, change);
    this.#watches.add(watch);
    const seconds = Number(call.query.get('timeoutSeconds') ?? 0);
    const timer = seconds > 0 ? setTimeout(() => response.end(), seconds * 1000) : undefined;
    response.on('close', () => {
      clearTimeout(timer);
      this.#watches.delete(watch);
    });
  }

  bookmark(): void {
    for (const watch of this.#watches) {
      if (watch.call.query.get('allowWatchBookmarks') !== 'true') continue;
      const { kind, group, version } = watch.call.resource!;
      const apiVersion = group === '' ? version : `${group}/${version}`;
      const object = { kind, apiVersion, metadata: { resourceVersion: `${this.#objects.version}` } };
      this.#send(watch, 'BOOKMARK', object);
    }
  }

  /** Cuts the connections, as when the server dies. */
  cut(): void {
    for (const { response } of this.#watches) response.destroy();
  }

  /** Ends the answers, as when their time is over. */
  end(): void {
    for (const { response } of this.#watches) response.end();
  }

  /** The watches that are open now say nothing any more, and stay open. */
  freeze(): void {
    for (const watch of this.#watches) watch.isFrozen = true;
  }

  /** Writes raw text into the open watches. */
  write(text: string): void {
    for (const { response } of this.#watches) response.write(text);
  }

  error(status: number, reason: string, message: string): void {
    const object = { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: status, reason, message };
    for (const watch of this.#watches) this.#send(watch, 'ERROR', object);
  }

  lose(isLost: (change: Change) => boolean): void {
    this.#isLost = isLost;
  }

  /** Open watches get their next `count` events the wrong way round. */
  reorder(count: number): void {
    for (const watch of this.#watches) watch.holdUntil = count;
  }

  #tell(watch: Watch, change: Change): void {
    const { resource, namespace } = watch.call;
    const { object, previous } = change;
    if (change.resource.group !== resource!.group || change.resource.plural !== resource!.plural) return;
    if (namespace !== undefined && object.metadata.namespace !== namespace) return;
    const was = previous !== undefined && watch.matches(previous);
    const is = change.type !== 'DELETED' && watch.matches(object);
    if (was || is) this.#send(watch, !is ? 'DELETED' : was ? 'MODIFIED' : 'ADDED', object);
  }

  #send(watch: Watch, type: string, object: unknown): void {
    if (watch.isFrozen) return;
    const line = `${JSON.stringify({ type, object })}\n`;
    if (watch.holdUntil === 0) return void watch.response.write(line);
    watch.held.push(line);
    if (watch.held.length < watch.holdUntil) return;
    for (const held of watch.held.toReversed()) watch.response.write(held);
    watch.held = [];
    watch.holdUntil = 0;
  }
}
