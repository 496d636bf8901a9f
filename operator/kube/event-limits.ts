import type { Clock } from '../../store/ports/clock.ts';
import { RateBucket } from './rate-bucket.ts';

/** What an event says, besides what it is about. */
export type EventText = {
  readonly type: 'Normal' | 'Warning';
  /** Why, as one CamelCase word: `ScaledDown`. */
  readonly reason: string;
  /** What was done, as one CamelCase word: `Drain`. */
  readonly action: string;
  /** For people. */
  readonly note: string;
};

export type EventLimits = {
  /** Events of one object at once, and how often one more. */
  readonly burst: number;
  readonly refillMs: number;
  /** Events of an object that differ in their notes alone: beyond so many within windowMs they become one. */
  readonly similarMax: number;
  /** An event that comes again after so long is a new one. */
  readonly windowMs: number;
  /** Objects and events that are remembered; the oldest are forgotten first. */
  readonly rememberedMax: number;
};

/** Those of client-go. */
export const EVENT_LIMITS: EventLimits = {
  ...{ burst: 25, refillMs: 300_000, similarMax: 10, windowMs: 600_000, rememberedMax: 4096 },
};

export const COMBINED = '(combined from similar events): ';

/** What is to be done about an event. */
export type Verdict =
  | { readonly type: 'first'; readonly key: string; readonly note: string }
  /** It was there `count` times, this one included; some of them may not have been sent. */
  | { readonly type: 'again'; readonly key: string; readonly count: number }
  | { readonly type: 'dropped' };

type Seen = { count: number; atMs: number };
type Similar = { readonly notes: Set<string>; atMs: number };

/** Decides which events are sent, which are counted, and which are dropped. Keys are texts that tell events apart. */
export class EventCorrelator {
  readonly #limits: EventLimits;
  readonly #clock: Clock;
  readonly #seen = new Map<string, Seen>();
  readonly #similar = new Map<string, Similar>();
  readonly #buckets = new Map<string, RateBucket>();

  constructor(limits: EventLimits, deps: { readonly clock: Clock }) {
    this.#limits = limits;
    this.#clock = deps.clock;
  }

  /** `about` tells objects apart. */
  judge(about: string, { type, reason, action, note }: EventText): Verdict {
    const nowMs = this.#clock.monotonicMs();
    const kind = JSON.stringify([about, type, reason, action]);
    const isCombined = this.#countSimilar(kind, note, nowMs) > this.#limits.similarMax;
    const key = isCombined ? kind : JSON.stringify([kind, note]);
    const known = this.#recent(this.#seen, key, nowMs);
    const seen = known ?? { count: 0, atMs: nowMs };
    seen.count++;
    seen.atMs = nowMs;
    this.#remember(this.#seen, key, seen);
    if (!this.#bucketOf(about).tryTake()) {
      // Nobody heard of it: the next one is the first.
      if (known === undefined) this.#seen.delete(key);
      return { type: 'dropped' };
    }
    if (known === undefined) return { type: 'first', key, note: isCombined ? COMBINED + note : note };
    return { type: 'again', key, count: seen.count };
  }

  #countSimilar(kind: string, note: string, nowMs: number): number {
    const similar = this.#recent(this.#similar, kind, nowMs) ?? { notes: new Set(), atMs: nowMs };
    similar.atMs = nowMs;
    if (similar.notes.size <= this.#limits.similarMax) similar.notes.add(note);
    this.#remember(this.#similar, kind, similar);
    return similar.notes.size;
  }

  #recent<V extends { readonly atMs: number }>(
    map: ReadonlyMap<string, V>,
    key: string,
    nowMs: number,
  ): V | undefined {
    const found = map.get(key);
    return found !== undefined && nowMs - found.atMs < this.#limits.windowMs ? found : undefined;
  }

  #bucketOf(about: string): RateBucket {
    const { burst, refillMs } = this.#limits;
    const options = { perSecond: 1000 / refillMs, burst };
    const bucket = this.#buckets.get(about) ?? new RateBucket(options, { clock: this.#clock });
    this.#remember(this.#buckets, about, bucket);
    return bucket;
  }

  #remember<V>(map: Map<string, V>, key: string, value: V): void {
    map.delete(key);
    map.set(key, value);
    if (map.size > this.#limits.rememberedMax) map.delete(map.keys().next().value!);
  }
}
