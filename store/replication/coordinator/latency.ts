import type { MemberId } from '../../core/raft/types.ts';

/** Answers of a member that are remembered. */
export const LATENCY_SAMPLES_MAX = 128;
/** The p95 is worked out again after so many answers, so that a sample costs next to nothing. */
const SAMPLES_PER_LOOK = 16;

const BUCKETS = 64;
/** Each bucket ends at 1.25 times the end of the one before: a p95 is told within a quarter of itself. */
const GROWTH = 1.25;
const FIRST_MS = 0.25;

type Window = {
  readonly counts: Uint16Array;
  /** The buckets of the last samples, the oldest overwritten first. */
  readonly recent: Uint8Array;
  next: number;
  size: number;
  p95Ms: number;
};

/** How long each member took to answer of late. */
export class LatencyTracker {
  readonly #windows = new Map<MemberId, Window>();

  sample(member: MemberId, tookMs: number): void {
    const window = this.#windows.get(member) ?? this.#open(member);
    const bucket = bucketOf(tookMs);
    if (window.size === LATENCY_SAMPLES_MAX) window.counts[window.recent[window.next] as number]! -= 1;
    else window.size += 1;
    window.counts[bucket]! += 1;
    window.recent[window.next] = bucket;
    window.next = (window.next + 1) % LATENCY_SAMPLES_MAX;
    if (window.next % SAMPLES_PER_LOOK === 0) window.p95Ms = p95Of(window);
  }

  /** 0 while too little is known. */
  p95Ms(member: MemberId): number {
    return this.#windows.get(member)?.p95Ms ?? 0;
  }

  #open(member: MemberId): Window {
    const window: Window = {
      counts: new Uint16Array(BUCKETS),
      recent: new Uint8Array(LATENCY_SAMPLES_MAX),
      next: 0,
      size: 0,
      p95Ms: 0,
    };
    this.#windows.set(member, window);
    return window;
  }
}

function bucketOf(tookMs: number): number {
  if (tookMs <= FIRST_MS) return 0;
  const bucket = Math.ceil(Math.log(tookMs / FIRST_MS) / Math.log(GROWTH));
  return Math.min(bucket, BUCKETS - 1);
}

function p95Of({ counts, size }: Window): number {
  const wanted = Math.ceil(size * 0.95);
  let seen = 0;
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    seen += counts[bucket] as number;
    if (seen >= wanted) return FIRST_MS * GROWTH ** bucket;
  }
  return 0;
}
