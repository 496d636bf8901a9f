import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { parseVersion, type Version } from '../../store/core/version/version.ts';
import { KeyHistory, type OpenRead, type OpenWrite } from '../../store/sim/checkers/key-history.ts';
import { HistoryClock } from '../../store/sim/checkers/register-operation.ts';

/** A node that may be asked. */
export type Target = { readonly name: string; readonly url: string };

export type DataClientsOptions = {
  readonly clients: number;
  /** Those that may be asked now; also ones that are down. */
  readonly targets: () => readonly Target[];
  readonly signal: AbortSignal;
};

export type HistoryOptions = {
  readonly keys: number;
  /** How the keys begin that only this history writes. */
  readonly label: string;
  readonly namespace?: string;
};

const NAMESPACE_DEFAULT = 'default';
const TIMEOUT_MS = 8000;
/** After a request that failed: a node that is down answers at once, again and again. */
const PAUSE_MS = 20;

/**
 * What clients did with a few contended keys of real nodes, over HTTP, and what they were told; checked as the simulator
 * checks its clients. A Violation is thrown by the client that notices, or by `verify`.
 */
export class DataHistory implements AsyncDisposable {
  readonly #histories: readonly KeyHistory[];
  readonly #label: string;
  readonly #namespace: string;
  readonly #agent = new Agent({ connections: 64, headersTimeout: TIMEOUT_MS, bodyTimeout: TIMEOUT_MS });
  #values = 0;
  acknowledged = 0;
  refused = 0;
  unknown = 0;
  read = 0;
  /** How often each code was told. */
  readonly codes = new Map<string, number>();

  constructor({ keys, label, namespace }: HistoryOptions) {
    this.#namespace = namespace ?? NAMESPACE_DEFAULT;
    const clock = new HistoryClock(() => performance.now());
    this.#label = label;
    this.#histories = Array.from({ length: keys }, (_, number) => new KeyHistory(`${label}${number}`, clock));
  }

  /** Clients ask until `signal`; rejects where one of them notices that a promise is broken. */
  async run({ clients, targets, signal }: DataClientsOptions): Promise<void> {
    const client = async (): Promise<void> => {
      while (!signal.aborted) {
        const target = pick(targets());
        const isAnswered = target !== undefined && (await this.#operate(target));
        if (!isAnswered) await sleep(PAUSE_MS);
      }
    };
    await Promise.all(Array.from({ length: clients }, client));
  }

  /** Resolves once `count` more requests were answered; throws where they are not in time. */
  async more(count: number, deadlineMs = 30_000): Promise<void> {
    const target = this.acknowledged + this.read + count;
    const end = performance.now() + deadlineMs;
    while (this.acknowledged + this.read < target) {
      if (performance.now() > end) throw new Error(`too few requests are answered: ${this.summary()}`);
      await sleep(PAUSE_MS);
    }
  }

  /** Every key through every target: throws where one cannot be read. */
  async readAll(targets: readonly Target[]): Promise<void> {
    for (const target of targets)
      for (const history of this.#histories)
        if (!(await this.#read(target, history)))
          throw new Error(`${target.name} cannot read ${history.key}: ${this.summary()}`);
  }

  /** Throws a Violation that shows the fewest operations that no register allows. Resolves with how many there were. */
  verify(): number {
    for (const history of this.#histories) history.requireLinearizable();
    return this.#histories.reduce((sum, { operations }) => sum + operations.length, 0);
  }

  summary(): string {
    const codes = [...this.codes].map(([code, count]) => `${count} ${code}`).join(', ');
    return (
      `${this.acknowledged} writes acknowledged, ${this.refused} refused, ${this.unknown} unknown, ${this.read} reads of ` +
      `${this.#histories.length} keys; failures: ${codes || 'none'}`
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy();
  }

  #operate(target: Target): Promise<boolean> {
    const history = pick(this.#histories) as KeyHistory;
    const drawn = Math.random();
    if (drawn < 0.5) return this.#read(target, history);
    if (drawn < 0.6) return this.#write(target, history, undefined);
    this.#values += 1;
    return this.#write(target, history, `${this.#label}value-${this.#values}`);
  }

  /** `value` undefined: a delete. Whether there was an answer that is no failure. */
  async #write(target: Target, history: KeyHistory, value: string | undefined): Promise<boolean> {
    const open =
      value === undefined
        ? history.beginDelete(target.name)
        : history.beginPut(target.name, value, undefined);
    const answer = await this.#send(target, history.key, value === undefined ? 'DELETE' : 'PUT', value);
    if (answer.type === 'ok' && answer.version !== undefined) {
      this.acknowledged += 1;
      open.acknowledged(answer.version);
      return true;
    }
    this.#noteFailure(open, answer);
    return false;
  }

  #noteFailure(open: OpenWrite, answer: Answer): void {
    if (answer.type === 'failed' && answer.isUnwritten) {
      this.refused += 1;
      open.refused();
    } else this.unknown += 1;
  }

  async #read(target: Target, history: KeyHistory): Promise<boolean> {
    const open: OpenRead = history.beginRead(target.name);
    const { key } = history;
    const answer = await this.#send(target, key, 'GET', undefined);
    if (answer.type === 'failed') return false;
    this.read += 1;
    if (answer.version === undefined) open.absent(0);
    else open.found({ value: answer.body, version: answer.version, expiresAtMs: undefined }, 0);
    return true;
  }

  async #send(
    target: Target,
    key: string,
    method: 'GET' | 'PUT' | 'DELETE',
    value: string | undefined,
  ): Promise<Answer> {
    const path = `${target.url}/v1/kv/${this.#namespace}/${key}`;
    const answer = await request(path, { method, body: value ?? null, dispatcher: this.#agent })
      .then(async ({ statusCode, headers, body }) => answerOf(statusCode, headers.etag, await body.text()))
      .catch(lostAnswer);
    if (answer.type === 'failed') this.codes.set(answer.code, (this.codes.get(answer.code) ?? 0) + 1);
    return answer;
  }
}

type Answer =
  /** A read of nothing has no version. */
  | { readonly type: 'ok'; readonly version: Version | undefined; readonly body: string }
  /** `isUnwritten`: certain that nothing was, or will be, written. */
  | { readonly type: 'failed'; readonly code: string; readonly isUnwritten: boolean };

/** Codes that say by themselves that nothing was done, where no outcome is told. */
const UNWRITTEN: ReadonlySet<string> = new Set([
  'CLUSTER_FORMING',
  'CLUSTER_WAITING',
  'OVERLOADED',
  'STORAGE_FULL',
]);

function answerOf(status: number, etag: string | string[] | undefined, body: string): Answer {
  if (status === 200 || status === 204) {
    const version = parseVersion(String(etag).replaceAll('"', ''));
    if (version === undefined) throw new Error(`an answer has the ETag ${String(etag)}, which is no version`);
    return { type: 'ok', version, body };
  }
  const problem = JSON.parse(body) as { readonly code?: string; readonly outcome?: string };
  const { code = `status ${status}`, outcome } = problem;
  if (code === 'KEY_NOT_FOUND') return { type: 'ok', version: undefined, body: '' };
  if (status < 500) throw new Error(`a request was refused as wrong: ${status} ${body}`);
  return {
    type: 'failed',
    code,
    isUnwritten: outcome === undefined ? UNWRITTEN.has(code) : outcome === 'unwritten',
  };
}

/** There was no answer, or none that could be understood. */
function lostAnswer(error: unknown): Answer {
  const code = (error as { readonly code?: unknown }).code;
  if (typeof code !== 'string') throw error;
  // Nobody listened, so nobody heard.
  return { type: 'failed', code, isUnwritten: code === 'ECONNREFUSED' };
}

function pick<T>(all: readonly T[]): T | undefined {
  return all[Math.floor(Math.random() * all.length)];
}
