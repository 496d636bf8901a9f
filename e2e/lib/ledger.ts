import { createHash } from 'node:crypto';
import { Pool } from 'undici';
import type { RespTarget } from './resp-data-client.ts';
import { RespWriter, type WriteAnswer } from './resp-writer.ts';

/** Undefined where there was no answer, so that the outcome is unknown. */
type Send = (key: string, value: Buffer | undefined) => Promise<WriteAnswer | undefined>;

/**
 * Writers that note what was acknowledged, and the check that all of it is there. Each key belongs to one writer, so
 * that its history is a sequence: the state after a crash must be the last acknowledged write, or a later one whose
 * outcome is unknown. Versions of a key must grow through everything.
 */
export class Ledger {
  readonly #keys = new Map<string, KeyHistory>();
  acknowledged = 0;
  /** Of those. */
  acknowledgedOverResp = 0;
  refused = 0;
  unknown = 0;

  /**
   * `writers` concurrent loops write until `signal` aborts, or until a write's outcome is unknown (the node died); every other one
   * as a client of Redis where `resp` is given. Answers that refuse (507, 503) are counted, and the loop goes on.
   */
  async write(url: string, options: WriteOptions): Promise<void> {
    const pool = new Pool(url, { connections: options.writers, headersTimeout: 10_000, bodyTimeout: 10_000 });
    try {
      const overHttp: Send = (key, value) => send(pool, key, value);
      const writers = Array.from({ length: options.writers }, (_, writer) =>
        options.resp === undefined || writer % 2 === 0
          ? this.#writer(overHttp, writer, options)
          : this.#respWriter(options.resp, writer, options),
      );
      await Promise.all(writers);
    } finally {
      await pool.destroy();
    }
  }

  async #respWriter(target: RespTarget, writer: number, options: WriteOptions): Promise<void> {
    using client = new RespWriter(target);
    const send: Send = async (key, value) => {
      const answer = await client.send(key, value);
      if (answer?.status === 204) this.acknowledgedOverResp += 1;
      return answer;
    };
    await this.#writer(send, writer, options);
  }

  async #writer(send: Send, writer: number, options: WriteOptions): Promise<void> {
    for (let i = 0; !options.signal.aborted; i++) {
      const key = `writer-${writer}/key-${(i * 7919) % options.keysPerWriter}`;
      const history = this.#historyOf(key);
      const intent = history.nextIntent(options.valueBytes, i % 10 === 9);
      const answer = await send(key, intent.value);
      if (answer === undefined) {
        this.unknown += 1;
        return;
      }
      this.#note(history, intent, answer.status, answer.etag);
    }
  }

  #note(history: KeyHistory, intent: Intent, status: number, etag: string): void {
    if (status === 204) {
      history.acknowledge(intent, etag);
      this.acknowledged += 1;
    } else if (status === 507 || status === 503) {
      if (status === 507) history.withdraw(intent);
      this.refused += 1;
    } else {
      throw new Error(`a write was answered ${status}`);
    }
  }

  /** Reads every key; throws where an acknowledged write is missing or a value is not one that was written. */
  async verify(url: string): Promise<number> {
    const pool = new Pool(url, { connections: 32 });
    const histories = [...this.#keys.values()];
    const check = async (from: number): Promise<void> => {
      for (let i = from; i < histories.length; i += 32) {
        const history = histories[i] as KeyHistory;
        const answer = await pool.request({ method: 'GET', path: `/v1/kv/default/${history.key}` });
        const body = Buffer.from(await answer.body.arrayBuffer());
        if (answer.statusCode !== 200 && answer.statusCode !== 404)
          throw new Error(`${history.key}: read answered ${answer.statusCode}`);
        history.check(answer.statusCode === 200 ? body : undefined);
      }
    };
    try {
      await Promise.all(Array.from({ length: 32 }, (_, from) => check(from)));
    } finally {
      await pool.destroy();
    }
    return histories.length;
  }

  #historyOf(key: string): KeyHistory {
    let history = this.#keys.get(key);
    if (history === undefined) {
      history = new KeyHistory(key);
      this.#keys.set(key, history);
    }
    return history;
  }
}

export type WriteOptions = {
  readonly resp?: RespTarget | undefined;
  readonly writers: number;
  readonly keysPerWriter: number;
  readonly valueBytes: number;
  readonly signal: AbortSignal;
};

/** A write that was sent; `value` undefined is a delete. */
type Intent = { readonly sequence: number; readonly value: Buffer | undefined };

class KeyHistory {
  readonly key: string;
  #sequence = 0;
  #last: Intent | undefined;
  #lastVersion = '';
  /** Writes after the last acknowledged one, with unknown outcome. */
  #open: Intent[] = [];

  constructor(key: string) {
    this.key = key;
  }

  nextIntent(valueBytes: number, isDelete: boolean): Intent {
    this.#sequence += 1;
    const intent = {
      sequence: this.#sequence,
      value: isDelete ? undefined : valueOfWrite(this.key, this.#sequence, valueBytes),
    };
    this.#open.push(intent);
    return intent;
  }

  /** `etag` empty: the answer told no version. */
  acknowledge(intent: Intent, etag: string): void {
    if (etag !== '') this.#raiseVersion(etag);
    this.#last = intent;
    this.#open = [];
  }

  #raiseVersion(etag: string): void {
    const version = versionOrder(etag);
    if (version <= this.#lastVersion)
      throw new Error(`${this.key}: version ${etag} is not above ${this.#lastVersion}`);
    this.#lastVersion = version;
  }

  /** The node said that it did not write. */
  withdraw(intent: Intent): void {
    this.#open = this.#open.filter((each) => each !== intent);
  }

  check(found: Buffer | undefined): void {
    const allowed = [this.#last ?? { sequence: 0, value: undefined }, ...this.#open];
    const state = allowed.findLast(({ value }) =>
      value === undefined ? found === undefined : found?.equals(value) === true,
    );
    if (state === undefined) {
      const expected = allowed
        .map(({ sequence, value }) => `#${sequence}${value === undefined ? ' (absent)' : ''}`)
        .join(' or ');
      throw new Error(
        `${this.key}: expected write ${expected}, found ${found === undefined ? 'nothing' : found.subarray(0, 60).toString('latin1')}`,
      );
    }
    // What was unknown is settled now: nothing older may come back later.
    this.#last = state;
    this.#open = [];
  }
}

/** `"wall-counter-member"` in a form whose text order is the order of versions; one member stamps here. */
function versionOrder(etag: string): string {
  return etag.replaceAll('"', '');
}

function valueOfWrite(key: string, sequence: number, bytes: number): Buffer {
  const seed = createHash('sha256').update(`${key}#${sequence}`).digest('hex');
  return Buffer.alloc(bytes, `${key}#${sequence}:${seed};`);
}

/** The answer to a write; undefined where there was none, so that its outcome is unknown. */
async function send(pool: Pool, key: string, value: Buffer | undefined): Promise<WriteAnswer | undefined> {
  try {
    const path = `/v1/kv/default/${key}`;
    const answer = await pool.request({
      method: value === undefined ? 'DELETE' : 'PUT',
      path,
      body: value ?? null,
    });
    await answer.body.arrayBuffer();
    return { status: answer.statusCode, etag: String(answer.headers.etag) };
  } catch {
    return undefined;
  }
}
