import { type Cargo, type Carried, NOTHING, plus } from './carry.ts';
import type { ExchangeLimits } from './exchange-options.ts';

type Options = Pick<ExchangeLimits, 'carriesMax' | 'carriedBytesMax'>;

/** Before anything is known of the records' size. */
const FIRST_CARRIES = 16;

/** Carries keys in groups that are as large as the records of the group before allow: memory is bounded, small records fast. */
export class CarryQueue {
  readonly #options: Options;
  readonly #carry: (cargo: Cargo) => Promise<Carried>;
  #waiting: Cargo[] = [];
  #groupSize: number;
  #total: Carried = NOTHING;

  constructor(options: Options, deps: { readonly carry: (cargo: Cargo) => Promise<Carried> }) {
    this.#options = options;
    this.#carry = deps.carry;
    this.#groupSize = Math.min(FIRST_CARRIES, options.carriesMax);
  }

  get total(): Carried {
    return this.#total;
  }

  /** Nothing more is taken: what a replica refused, it would refuse for all keys. */
  get isStopped(): boolean {
    return this.#total.problem?.isFatal === true;
  }

  async add(cargo: Cargo): Promise<void> {
    this.#waiting.push(cargo);
    if (this.#waiting.length >= this.#groupSize) await this.drain();
  }

  async drain(): Promise<void> {
    const group = this.#waiting;
    this.#waiting = [];
    if (group.length === 0 || this.isStopped) return;
    const carried = (await Promise.all(group.map(this.#carry))).reduce(plus, NOTHING);
    this.#total = plus(this.#total, carried);
    const { carriesMax, carriedBytesMax } = this.#options;
    const averageBytes = Math.max(1, carried.bytes / group.length);
    this.#groupSize = Math.max(1, Math.min(carriesMax, Math.floor(carriedBytesMax / averageBytes)));
  }
}
