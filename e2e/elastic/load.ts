import { setTimeout as sleep } from 'node:timers/promises';
import { KeyLedger, type OpenWrite } from './key-ledger.ts';
import { type PhaseFigures, PhaseStats } from './phase-stats.ts';
import { type Lease, Targets } from './targets.ts';

export type LoadOptions = { readonly keys: number; readonly valueBytes: number };

const READ_SHARE = 0.5;
const CONNECTIONS_EACH = 32;
const BATCH_KEYS = 500;
const BATCHES_AT_ONCE = 6;
const BATCH_TRIES = 20;
const BATCH_PAUSE_MS = 250;
/** Requests that are due and have no connection: beyond it they are given up, as failures, so that memory is bounded. */
const WAITING_MAX = 20_000;
const NAMESPACE = '/v1/kv/default';
/** Codes without an outcome that say by themselves that nothing was done. */
const UNWRITTEN = new Set(['CLUSTER_FORMING', 'CLUSTER_WAITING', 'OVERLOADED', 'STORAGE_FULL']);

type Problem = { readonly code?: string; readonly outcome?: string };
type Request = {
  readonly dueMs: number;
  readonly key: number;
  readonly write: OpenWrite | undefined;
  readonly from: number;
};

/**
 * Reads, puts and a few deletes of many keys, at all nodes in turn; whatever is read is compared with what was acknowledged before. A
 * request that fails is not repeated, and counts; one that was never sent, since nobody listened, goes to the next node.
 */
export class ElasticLoad {
  readonly ledger: KeyLedger;
  readonly #targets = new Targets({ connectionsEach: CONNECTIONS_EACH });
  readonly #waiting: Request[] = [];
  #stats = new PhaseStats();
  #underWay = 0;
  #mode: 'stopped' | 'closed' | 'open' = 'stopped';
  #violation: string | undefined;

  constructor(options: LoadOptions) {
    this.ledger = new KeyLedger(options);
  }

  target(ports: readonly number[]): void {
    this.#targets.set(ports);
  }

  /** Every key once, by batches. */
  async fill(): Promise<void> {
    await this.#batches(async (keys) => {
      const writes = keys.map((key) => this.ledger.beginWrite(key) as OpenWrite);
      const operations = writes.map((write) => {
        return { op: 'put', key: this.ledger.nameOf(write.key), value: this.ledger.valueOf(write) };
      });
      await this.#batch(operations, ({ status }) => status < 300);
      for (const write of writes) this.ledger.endWrite(write, 'acknowledged');
    });
  }

  /** Reads every key; throws at the first that is not as it was acknowledged. */
  async check(): Promise<number> {
    await this.#batches(async (keys) => {
      const from = keys.map((key) => this.ledger.acknowledgedOf(key));
      const operations = keys.map((key) => ({ op: 'get', key: this.ledger.nameOf(key) }));
      const results = await this.#batch(operations, ({ status }) => status === 200 || status === 404);
      for (const [i, key] of keys.entries()) {
        const { status, value } = results[i] as BatchResult;
        const problem = this.ledger.problemOf(key, status === 404 ? undefined : value, from[i] as number);
        if (problem !== undefined) throw new Error(problem);
      }
    });
    return this.ledger.keys;
  }

  /** One request after the other on `connections`; how many were answered a second. */
  async capacity(connections: number, durationMs: number): Promise<number> {
    this.#mode = 'closed';
    const startedAt = performance.now();
    const before = this.#stats.answered;
    const loop = async (): Promise<void> => {
      while (performance.now() < startedAt + durationMs) await this.#send(this.#draw(performance.now()));
    };
    await Promise.all(Array.from({ length: connections }, loop));
    this.#mode = 'stopped';
    this.#throwViolation();
    return (this.#stats.answered - before) / ((performance.now() - startedAt) / 1000);
  }

  /** Requests at fixed times until `stop`; latencies begin when a request was due (coordinated omission, Gil Tene). */
  open(ratePerSecond: number): void {
    this.#mode = 'open';
    const startedAt = performance.now();
    let sent = 0;
    const tick = (): void => {
      if (this.#mode !== 'open') return;
      const due = Math.floor(((performance.now() - startedAt) / 1000) * ratePerSecond);
      for (; sent < due; sent++) this.#enqueue(this.#draw(startedAt + (sent / ratePerSecond) * 1000));
      this.#pump();
      setTimeout(tick, 1);
    };
    tick();
  }

  /** What happened since the last time; throws where something that was acknowledged was not read. */
  phase(): PhaseFigures {
    this.#throwViolation();
    const figures = this.#stats.figures();
    this.#stats = new PhaseStats();
    return figures;
  }

  /** Waits for what is under way. */
  async stop(): Promise<void> {
    this.#mode = 'stopped';
    while (this.#underWay > 0 || this.#waiting.length > 0) {
      this.#pump();
      await sleep(5);
    }
    this.#throwViolation();
  }

  close(): void {
    this.#targets.close();
  }

  #throwViolation(): void {
    if (this.#violation !== undefined) throw new Error(this.#violation);
  }

  #draw(dueMs: number): Request {
    for (;;) {
      const key = Math.floor(Math.random() * this.ledger.keys);
      if (Math.random() < READ_SHARE)
        return { dueMs, key, write: undefined, from: this.ledger.acknowledgedOf(key) };
      const write = this.ledger.beginWrite(key);
      if (write !== undefined) return { dueMs, key, write, from: 0 };
    }
  }

  #enqueue(request: Request): void {
    if (this.#waiting.length < WAITING_MAX) {
      this.#waiting.push(request);
      return;
    }
    this.#stats.failed('GIVEN_UP');
    if (request.write !== undefined) this.ledger.endWrite(request.write, 'refused');
  }

  #pump(): void {
    let taken = 0;
    for (; taken < this.#waiting.length; taken++) {
      const lease = this.#targets.take();
      if (lease === undefined) break;
      void this.#exchange(this.#waiting[taken] as Request, lease);
    }
    if (taken > 0) this.#waiting.splice(0, taken);
    this.#stats.waiting(this.#waiting.length);
  }

  async #send(request: Request): Promise<void> {
    for (;;) {
      const lease = this.#targets.take();
      if (lease !== undefined) return this.#exchange(request, lease);
      await sleep(1);
    }
  }

  async #exchange(request: Request, lease: Lease): Promise<void> {
    const { key, write } = request;
    const value = write && this.ledger.valueOf(write);
    const method = write === undefined ? 'GET' : value === undefined ? 'DELETE' : 'PUT';
    this.#underWay += 1;
    try {
      const { status, body } = await lease.client.exchange(
        method,
        `${NAMESPACE}/${this.ledger.nameOf(key)}`,
        value ?? '',
      );
      this.#targets.giveBack(lease);
      this.#take(request, status, body);
    } catch (error) {
      this.#targets.drop(lease);
      if ((error as NodeJS.ErrnoException).code === 'ECONNREFUSED') {
        // Never sent: it is due still.
        if (this.#mode === 'closed') await this.#send(request);
        else this.#waiting.unshift(request);
        return;
      }
      this.#stats.failed('CONNECTION');
      if (write !== undefined) this.ledger.endWrite(write, 'unknown');
    } finally {
      this.#underWay -= 1;
    }
    if (this.#mode === 'open') this.#pump();
  }

  #take(request: Request, status: number, body: string): void {
    const { dueMs, key, write, from } = request;
    const isAnswer = write === undefined ? status === 200 || status === 404 : status === 204;
    if (!isAnswer) {
      this.#refused(write, status, body);
      return;
    }
    this.#stats.done(write === undefined ? 'read' : 'write', performance.now() - dueMs);
    if (write !== undefined) this.ledger.endWrite(write, 'acknowledged');
    else this.#violation ??= this.ledger.problemOf(key, status === 404 ? undefined : body, from);
  }

  #refused(write: OpenWrite | undefined, status: number, body: string): void {
    const { code = `status ${status}`, outcome } = JSON.parse(body || '{}') as Problem;
    if (status < 500) this.#violation ??= `a request was refused as wrong: ${status} ${body}`;
    this.#stats.failed(code);
    if (write === undefined) return;
    const isUnwritten = outcome === undefined ? UNWRITTEN.has(code) : outcome === 'unwritten';
    this.ledger.endWrite(write, isUnwritten ? 'refused' : 'unknown');
  }

  async #batches(work: (keys: readonly number[]) => Promise<void>): Promise<void> {
    let next = 0;
    const loop = async (): Promise<void> => {
      while (next < this.ledger.keys) {
        const from = next;
        next = Math.min(this.ledger.keys, next + BATCH_KEYS);
        await work(Array.from({ length: next - from }, (_, i) => from + i));
      }
    };
    await Promise.all(Array.from({ length: BATCHES_AT_ONCE }, loop));
  }

  /** Again until each operation is as it should be. */
  async #batch(
    operations: readonly object[],
    isDone: (result: BatchResult) => boolean,
  ): Promise<readonly BatchResult[]> {
    let last = '';
    for (let attempt = 0; attempt < BATCH_TRIES; attempt++) {
      const lease = this.#targets.take();
      if (lease !== undefined) {
        const { status, body } = await lease.client.exchange(
          'POST',
          `${NAMESPACE}:batch`,
          JSON.stringify({ operations }),
        );
        this.#targets.giveBack(lease);
        if (status === 200) {
          const { results } = JSON.parse(body) as { readonly results: readonly BatchResult[] };
          if (results.every(isDone)) return results;
        }
        last = body.slice(0, 300);
      }
      await sleep(BATCH_PAUSE_MS);
    }
    throw new Error(`a batch failed ${BATCH_TRIES} times: ${last}`);
  }
}

type BatchResult = { readonly status: number; readonly value?: string };
