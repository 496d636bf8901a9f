import { requireLinearizable } from '../../store/sim/checkers/linearizability.ts';
import type { HistoryClock, RegisterOperation } from '../../store/sim/checkers/register-operation.ts';
import type { KeyIntent, KeyOutcome } from './data-client.ts';

/** Who was asked for what, and when, by the clock of the history. */
export type Asked = {
  readonly by: string;
  readonly intent: KeyIntent;
  readonly beganAt: number;
};

/** An expiry is a whole millisecond of the clock of the node that stamped the put, and judged by that of another. */
const CLOCKS_APART_MS = 200;
/** A value with a TTL must be gone by then. */
const EXPIRED_FOR_MS = 1000;

/**
 * The history of every key, as it was asked for and answered, and the check that each is linearizable; so nothing that
 * was acknowledged is lost, nothing deleted comes back, and no read goes back. The end of a TTL is a delete without an end
 * of its own: it may hit at any time from the expiry on, and from EXPIRED_FOR_MS after it the value must not be read.
 */
export class DataLedger {
  readonly clock: HistoryClock;
  readonly #histories = new Map<string, RegisterOperation[]>();
  /** Of values whose put was acknowledged, when they must be gone. */
  readonly #goneAt = new Map<string, number>();
  readonly refusals = new Map<string, number>();
  writes = 0;
  reads = 0;
  unknown = 0;

  constructor(clock: HistoryClock) {
    this.clock = clock;
  }

  get keys(): readonly string[] {
    return [...this.#histories.keys()];
  }

  /** Notes what came of it; `endedAt` is the time of the answer. Throws where a value outlived its TTL. */
  note({ by, intent, beganAt }: Asked, outcome: KeyOutcome, endedAt: number): void {
    if (outcome.type === 'refused') this.#noteRefusal(outcome.code);
    if (intent.type === 'get') {
      if (outcome.type === 'done') this.#noteRead(intent.key, { by, beganAt, endedAt, value: outcome.value });
      return;
    }
    const isDone = outcome.type === 'done';
    const isRefused = outcome.type === 'refused' && outcome.isUnwritten;
    if (isDone) this.writes += 1;
    else if (!isRefused) this.unknown += 1;
    const times = { by, beganAt, endedAt: isDone || isRefused ? endedAt : undefined, isRefused };
    const history = this.#historyOf(intent.key);
    if (intent.type === 'delete') history.push({ type: 'delete', ...times });
    else {
      history.push({ type: 'put', value: intent.value, ...times });
      if (intent.ttlSeconds !== undefined && !isRefused)
        this.#noteExpiry(
          history,
          { ...intent, ttlSeconds: intent.ttlSeconds },
          beganAt,
          isDone ? endedAt : undefined,
        );
    }
  }

  #noteRead(key: string, read: Omit<Extract<RegisterOperation, { type: 'read' }>, 'type'>): void {
    this.reads += 1;
    const goneAt = read.value === undefined ? undefined : this.#goneAt.get(read.value);
    if (goneAt !== undefined && read.beganAt > goneAt) {
      const lateMs = Math.round(read.beganAt - goneAt + EXPIRED_FOR_MS);
      throw new Error(`${read.by} showed ${read.value}, which had expired ${lateMs} ms before the read`);
    }
    this.#historyOf(key).push({ type: 'read', ...read });
  }

  #noteExpiry(
    history: RegisterOperation[],
    { value, ttlSeconds }: { readonly value: string; readonly ttlSeconds: number },
    beganAt: number,
    endedAt: number | undefined,
  ): void {
    const ttlMs = ttlSeconds * 1000;
    const expiresAt = beganAt + ttlMs - CLOCKS_APART_MS;
    history.push({ type: 'delete', by: `expiry of ${value}`, beganAt: expiresAt, endedAt: undefined });
    if (endedAt !== undefined) this.#goneAt.set(value, endedAt + ttlMs + EXPIRED_FOR_MS);
  }

  #noteRefusal(code: string): void {
    this.refusals.set(code, (this.refusals.get(code) ?? 0) + 1);
  }

  /** Throws a Violation with the fewest operations of a key that cannot be put in order. */
  check(): void {
    for (const [key, history] of this.#histories) requireLinearizable(key, history);
  }

  #historyOf(key: string): RegisterOperation[] {
    const known = this.#histories.get(key);
    if (known !== undefined) return known;
    const history: RegisterOperation[] = [];
    this.#histories.set(key, history);
    return history;
  }

  summary(): string {
    const refusals = [...this.refusals].map(([code, count]) => `${count} ${code}`).join(', ');
    return `${this.writes} writes acknowledged, ${this.unknown} unknown, ${this.reads} reads of ${this.#histories.size} keys, refused: ${refusals || 'none'}`;
  }
}
