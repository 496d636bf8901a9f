import type { Readable } from 'node:stream';
import type { Prng } from '../../store/core/prng/prng.ts';
import type { KubeObject } from '../kube/resource.ts';
import type { FakeCall } from '../testing/fake-api-server-call.ts';
import type { Change } from '../testing/fake-api-server-objects.ts';
import type { SimApi } from './api.ts';
import type { OperatorProcess } from './operator-process.ts';
import { openBody } from './transport.ts';

type Watch = {
  readonly call: FakeCall;
  readonly body: Readable;
  readonly process: OperatorProcess;
  readonly matches: (object: KubeObject) => boolean;
  /** When the event before it arrives: the next one does not overtake it, unless it is to. */
  lastMs: number;
  /** It says nothing any more, and stays open. */
  isFrozen: boolean;
};

/** Of a thousand events. */
export type WatchRates = { readonly late: number; readonly lost: number; readonly early: number };

export const ORDERLY: WatchRates = { late: 0, lost: 0, early: 0 };

const BOOKMARK_MS = 60_000;
const LATE_MS = 40_000;
const LAG_MS = 300;

export type WatchesDeps = {
  readonly api: SimApi;
  readonly prng: Prng;
  readonly nowMs: () => number;
  readonly after: (delayMs: number, what: () => void) => { cancel(): void };
};

/** What is told of changes: late, out of order, or not at all, until a watch ends or is cut. */
export class SimWatches {
  rates: WatchRates = ORDERLY;
  readonly #watches = new Set<Watch>();
  readonly #deps: WatchesDeps;

  constructor(deps: WatchesDeps) {
    this.#deps = deps;
    deps.api.onChange((change) => {
      for (const watch of this.#watches) this.#tell(watch, change);
    });
    this.#bookmark();
  }

  open(call: FakeCall, process: OperatorProcess): Readable {
    const { api, after, nowMs } = this.#deps;
    const past = api.past(call);
    const body = openBody();
    const watch = { call, body, process, matches: api.matches(call), lastMs: nowMs(), isFrozen: false };
    for (const change of past) this.#tell(watch, change);
    this.#watches.add(watch);
    const timer = after(Number(call.query.get('timeoutSeconds') ?? 0) * 1000, () => this.#end(watch));
    body.on('close', () => {
      timer.cancel();
      this.#watches.delete(watch);
    });
    return body;
  }

  /** Something happens to some of the open ones. */
  disturb(how: 'cut' | 'end' | 'freeze' | 'expire'): void {
    const { api, prng } = this.#deps;
    if (how === 'expire') api.objects.compact();
    for (const watch of this.#watches) {
      if (prng.below(3) === 0) continue;
      if (how === 'freeze') watch.isFrozen = true;
      else if (how === 'end') this.#end(watch);
      else if (how === 'cut') watch.body.destroy(new Error('the connection was cut'));
      else this.#send(watch, 'ERROR', { code: 410, reason: 'Expired', message: 'too old' });
    }
  }

  #end(watch: Watch): void {
    if (this.#watches.delete(watch)) watch.body.push(null);
  }

  #tell(watch: Watch, change: Change): void {
    const { resource } = watch.call;
    const { object, previous } = change;
    if (!watch.process.isAlive) return;
    if (change.resource.group !== resource?.group || change.resource.plural !== resource.plural) return;
    const was = previous !== undefined && watch.matches(previous);
    const is = change.type !== 'DELETED' && watch.matches(object);
    if (!was && !is) return;
    if (this.#deps.prng.below(1000) < this.rates.lost) return;
    this.#send(watch, !is ? 'DELETED' : was ? 'MODIFIED' : 'ADDED', object);
  }

  #send(watch: Watch, type: string, object: unknown): void {
    const { prng, nowMs, after } = this.#deps;
    const { late, early } = this.rates;
    const lagMs = prng.below(prng.below(1000) < late ? LATE_MS : LAG_MS);
    const isEarly = prng.below(1000) < early;
    const atMs = isEarly ? nowMs() + lagMs : Math.max(watch.lastMs, nowMs() + lagMs);
    watch.lastMs = Math.max(watch.lastMs, atMs);
    after(atMs - nowMs(), () => {
      const { body, process, isFrozen } = watch;
      if (isFrozen || !this.#watches.has(watch)) return;
      const line = `${JSON.stringify({ type, object })}\n`;
      process.deliver(() => void (body.destroyed || body.push(line)));
    });
  }

  #bookmark(): void {
    const { api, after } = this.#deps;
    after(BOOKMARK_MS, () => {
      for (const watch of this.#watches)
        this.#send(watch, 'BOOKMARK', { metadata: { resourceVersion: `${api.objects.version}` } });
      this.#bookmark();
    });
  }
}
