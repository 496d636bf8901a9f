import type { Prng } from '../../store/core/prng/prng.ts';
import { KubeError } from '../kube/kube-error.ts';
import { type FakeCall, WRITES } from '../testing/fake-api-server-call.ts';

/** What becomes of one call. */
export type Fate = {
  readonly sendMs: number;
  readonly backMs: number;
  /** Instead of an answer; the call has no effect. */
  readonly refusal?: KubeError;
  readonly loss?: 'request' | 'answer' | 'silence';
  /** The operator dies as it sends it, or when it has had its effect. */
  readonly death?: 'before' | 'after';
  /** The operator stands still for so long, and hears of the answer then. */
  readonly pauseMs?: number;
};

/** Of a thousand. */
export type FaultRates = {
  readonly refusals: number;
  readonly losses: number;
  readonly deaths: number;
  readonly pauses: number;
  readonly delays: number;
};

export const NO_FAULTS: FaultRates = { refusals: 0, losses: 0, deaths: 0, pauses: 0, delays: 0 };

const LATENCY_MS = 40;
/** Shorter than the deadline of a call, and longer than the lease of an operator. */
const DELAY_MS = 28_000;
/** Mostly longer than the lease. */
const PAUSE_MS = 60_000;
/** So many times less often than others a renewal of a lease is late. */
const LEASES_LESS = 20;

export class CallFaults {
  rates: FaultRates = NO_FAULTS;
  readonly #prng: Prng;

  constructor(prng: Prng) {
    this.#prng = prng;
  }

  fateOf(call: FakeCall): Fate {
    const { refusals, losses, deaths, pauses, delays } = this.rates;
    const isWrite = WRITES.includes(call.verb);
    // Each late renewal is the end of an operator: some of them are enough.
    const late = !isWrite ? 0 : call.resource?.kind === 'Lease' ? delays / LEASES_LESS : delays;
    const sendMs = this.isDrawn(late) ? this.#prng.below(DELAY_MS) : this.latencyMs();
    return {
      ...{ sendMs, backMs: this.latencyMs() },
      ...(this.isDrawn(refusals) && { refusal: this.#refusal(call, isWrite) }),
      ...(this.isDrawn(losses) && { loss: this.#oneOf(['request', 'answer', 'answer', 'silence'] as const) }),
      ...(this.isDrawn(pauses) && { pauseMs: this.#prng.below(PAUSE_MS) }),
      ...(this.isDrawn(deaths) && { death: this.#oneOf(['before', 'after'] as const) }),
    };
  }

  latencyMs(): number {
    return 1 + this.#prng.below(LATENCY_MS);
  }

  isDrawn(ofThousand: number): boolean {
    return ofThousand > 0 && this.#prng.below(1000) < ofThousand;
  }

  #refusal({ verb, path }: FakeCall, isWrite: boolean): KubeError {
    const [status, reason] = this.#oneOf([
      [429, 'TooManyRequests'],
      [500, 'InternalError'],
      [503, 'ServiceUnavailable'],
      isWrite ? [409, 'Conflict'] : [504, 'Timeout'],
    ] as const);
    const retryAfterMs = status === 429 ? 1000 : undefined;
    return new KubeError(status, reason, `${verb} ${path}: a fault`, { retryAfterMs });
  }

  #oneOf<T>(all: readonly T[]): T {
    return all[this.#prng.below(all.length)]!;
  }
}
