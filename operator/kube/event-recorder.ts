import type { Clock } from '../../store/ports/clock.ts';
import { type Random, randomHex } from '../../store/ports/random.ts';
import {
  EVENT_LIMITS,
  EventCorrelator,
  type EventLimits,
  type EventText,
  type Verdict,
} from './event-limits.ts';
import type { KubeClient } from './kube-client.ts';
import { isNotFound } from './kube-error.ts';
import type { KubeLog } from './kube-log.ts';
import { microTime } from './micro-time.ts';
import type { KubeObject, ObjectRef } from './resource.ts';
import { type Event, events } from './resources.ts';

export type EventRecorderOptions = {
  /** Who says it: `kvorum.dev/operator`. */
  readonly controller: string;
  /** Which one of them: the name of its pod. */
  readonly instance: string;
  readonly limits?: EventLimits;
  /** Events that wait to be sent; further ones are dropped. Default 1000. */
  readonly waitingMax?: number;
};

export type EventRecorderDeps = {
  readonly client: Pick<KubeClient, 'create' | 'mergePatch'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: KubeLog;
};

const WAITING_MAX = 1000;
const STOP_GRACE_MS = 5000;
/** The API server's own limit. */
const NOTE_CHARS_MAX = 1024;
/** Where events about objects without a namespace are kept. */
const DEFAULT_NAMESPACE = 'default';

/**
 * Tells users what happens to their objects (`kubectl describe`, `kubectl get events`). Events are sent one after the
 * other, behind the caller's back: one that cannot be sent is logged and forgotten, and nothing ever waits for one.
 * The same event again is counted in a series; many that differ in their notes alone become one; see event-limits.ts.
 */
export class EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #deps: EventRecorderDeps;
  readonly #correlator: EventCorrelator;
  /** The event of each key that was sent. */
  readonly #sent = new Map<string, ObjectRef>();
  #sending: Promise<void> = Promise.resolve();
  #waiting = 0;
  readonly #ending = new AbortController();
  #isStopped = false;

  constructor(options: EventRecorderOptions, deps: EventRecorderDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#correlator = new EventCorrelator(options.limits ?? EVENT_LIMITS, deps);
  }

  /** `about` must say what it is: apiVersion and kind. */
  record(about: KubeObject, text: EventText): void {
    if (this.#isStopped) return;
    const { metadata, kind } = about;
    const verdict = this.#correlator.judge(
      metadata.uid ?? `${kind} ${metadata.namespace}/${metadata.name}`,
      text,
    );
    if (verdict.type === 'dropped') return;
    if (this.#waiting >= (this.#options.waitingMax ?? WAITING_MAX)) {
      this.#deps.log.warn(
        { reason: text.reason, object: metadata.name },
        'an event was dropped: too many wait',
      );
      return;
    }
    const at = microTime(this.#deps.clock.nowMs());
    this.#waiting++;
    this.#sending = this.#sending
      .then(() => this.#send(about, text, verdict, at))
      .finally(() => this.#waiting--);
  }

  /** Resolves when everything that was recorded until now is sent or given up. */
  async flush(): Promise<void> {
    await this.#sending;
  }

  /** Takes no more; what waits to be sent has `graceMs`, and is forgotten then. */
  async stop(graceMs = STOP_GRACE_MS): Promise<void> {
    this.#isStopped = true;
    const timer = this.#deps.clock.setTimer(graceMs, () => this.#ending.abort());
    await this.flush();
    timer.cancel();
  }

  async #send(
    about: KubeObject,
    text: EventText,
    verdict: Exclude<Verdict, { type: 'dropped' }>,
    at: string,
  ): Promise<void> {
    const { signal } = this.#ending;
    if (signal.aborted) return;
    try {
      const sent = this.#sent.get(verdict.key);
      if (verdict.count > 1 && sent !== undefined && (await this.#count(sent, verdict.count, at))) return;
      const event = this.#event(about, { ...text, note: verdict.note }, at);
      this.#remember(verdict.key, (await this.#deps.client.create(events, event, signal)).metadata);
    } catch (error) {
      this.#deps.log.warn(
        { err: error, reason: text.reason, object: about.metadata.name },
        'an event was not sent',
      );
    }
  }

  /** False where the event is gone: the server keeps them for an hour. */
  async #count(sent: ObjectRef, count: number, at: string): Promise<boolean> {
    try {
      const series = { count, lastObservedTime: at };
      await this.#deps.client.mergePatch(events, sent, { series }, {}, this.#ending.signal);
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  #event(about: KubeObject, { type, reason, action, note }: EventText, at: string): Event {
    const { name, namespace, uid, resourceVersion } = about.metadata;
    const { controller, instance } = this.#options;
    const unique = randomHex(this.#deps.random, 8);
    return {
      metadata: { namespace: namespace ?? DEFAULT_NAMESPACE, name: `${name}.${unique}` },
      eventTime: at,
      ...{ type, reason, action, reportingController: controller, reportingInstance: instance },
      note: note.length > NOTE_CHARS_MAX ? `${note.slice(0, NOTE_CHARS_MAX - 3)}...` : note,
      regarding: {
        ...(about.apiVersion !== undefined && { apiVersion: about.apiVersion }),
        ...(about.kind !== undefined && { kind: about.kind }),
        ...{ name, ...(namespace !== undefined && { namespace }), ...(uid !== undefined && { uid }) },
        ...(resourceVersion !== undefined && { resourceVersion }),
      },
    };
  }

  #remember(key: string, { namespace, name }: ObjectRef): void {
    this.#sent.delete(key);
    this.#sent.set(key, { namespace, name });
    const { rememberedMax } = this.#options.limits ?? EVENT_LIMITS;
    if (this.#sent.size > rememberedMax) this.#sent.delete(this.#sent.keys().next().value!);
  }
}
