import type { Prng } from '../../core/prng/prng.ts';
import type { Timeline } from '../timeline.ts';

/** How messages fare between any two machines. */
export type Weather = {
  /** Of 1: messages that are lost, and that come twice. */
  lossRate: number;
  duplicateRate: number;
  delayMsMin: number;
  /** Mean of what is added to it, exponentially spread, so that messages overtake each other. */
  delayMsMean: number;
  /** Of 1: messages that take up to `stallMs` longer. */
  stallRate: number;
  stallMs: number;
};

export const FAIR_WEATHER: Weather = {
  lossRate: 0,
  duplicateRate: 0,
  delayMsMin: 0.2,
  delayMsMean: 0.5,
  stallRate: 0,
  stallMs: 0,
};

/**
 * `message`: may be lost, and may come twice; `replica`: one of those that ask replicas and answer. `request`, and its reply: may be lost; a link never repeats one. `control`
 * (handshakes and ends of links): TCP repeats it until it comes, where there is a way at all.
 */
export type Carriage = 'message' | 'replica' | 'request' | 'control';

export type NetworkDeps = { readonly timeline: Timeline; readonly prng: Prng };

/** The ways between machines, known by their names. */
export class Network {
  weather: Weather = { ...FAIR_WEATHER };
  readonly #cuts = new Map<string, number>();
  readonly #slow = new Map<string, number>();
  readonly #missing = new Map<string, number>();
  readonly #timeline: Timeline;
  readonly #prng: Prng;

  constructor({ timeline, prng }: NetworkDeps) {
    this.#timeline = timeline;
    this.#prng = prng;
  }

  /** Takes `deliver` from one machine to another: once, twice or never, after some time. */
  carry(from: string, to: string, carriage: Carriage, deliver: () => void): void {
    const { lossRate, duplicateRate } = this.weather;
    if (this.isCut(from, to) || (carriage !== 'control' && this.#prng.unit() < lossRate)) return;
    if (carriage === 'replica' && this.#misses(to)) return;
    const isMessage = carriage === 'message' || carriage === 'replica';
    const isDoubled = isMessage && this.#prng.unit() < duplicateRate;
    for (let copies = isDoubled ? 2 : 1; copies > 0; copies--) {
      this.#timeline.after(this.#drawDelayMs(from, to), () => {
        if (!this.isCut(from, to)) deliver();
      });
    }
  }

  /** Nothing passes in this direction until all cuts of it are mended. */
  cut(from: string, to: string): void {
    this.#cuts.set(way(from, to), (this.#cuts.get(way(from, to)) ?? 0) + 1);
  }

  mend(from: string, to: string): void {
    const left = (this.#cuts.get(way(from, to)) ?? 0) - 1;
    if (left > 0) this.#cuts.set(way(from, to), left);
    else this.#cuts.delete(way(from, to));
  }

  isCut(from: string, to: string): boolean {
    return this.#cuts.size > 0 && this.#cuts.has(way(from, to));
  }

  /** Multiplies the delays in this direction; 1 takes it back. */
  slowDown(from: string, to: string, factor: number): void {
    if (factor === 1) this.#slow.delete(way(from, to));
    else this.#slow.set(way(from, to), factor);
  }

  /** Of 1: what replicas are asked and answer that is lost on its way to `to`, and nothing else; 0 takes it back. */
  loseData(to: string, rate: number): void {
    if (rate === 0) this.#missing.delete(to);
    else this.#missing.set(to, rate);
  }

  /** All is well again. */
  calm(): void {
    this.weather = { ...FAIR_WEATHER };
    this.#cuts.clear();
    this.#slow.clear();
    this.#missing.clear();
  }

  #misses(to: string): boolean {
    const rate = this.#missing.get(to);
    return rate !== undefined && this.#prng.unit() < rate;
  }

  #drawDelayMs(from: string, to: string): number {
    const { delayMsMin, delayMsMean, stallRate, stallMs } = this.weather;
    const spread = -Math.log(1 - this.#prng.unit()) * delayMsMean;
    const stall = stallRate > 0 && this.#prng.unit() < stallRate ? this.#prng.unit() * stallMs : 0;
    const factor = this.#slow.size > 0 ? (this.#slow.get(way(from, to)) ?? 1) : 1;
    return (delayMsMin + spread) * factor + stall;
  }
}

const way = (from: string, to: string): string => `${from}>${to}`;
