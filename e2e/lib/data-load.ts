import { setTimeout as sleep } from 'node:timers/promises';
import { HistoryClock } from '../../store/sim/checkers/register-operation.ts';
import type { Cluster } from './cluster.ts';
import type { ClusterNode } from './cluster-node.ts';
import { DataClient, type DataRefusal, type KeyIntent, type KeyOutcome } from './data-client.ts';
import { DataLedger } from './data-ledger.ts';
import type { DataMap } from './data-map.ts';
import { FaultWindows, type Judgement } from './fault-windows.ts';
import { RespDataClient } from './resp-data-client.ts';

/** Many, since those that ask a node without a quorum wait for its answer. */
const WORKERS = 32;
const PAUSE_MS = 30;
const REFUSED_PAUSE_MS = 100;
const KEYS = 24;
const TTL_KEYS = 6;
const TTL_SECONDS_MAX = 4;
const BATCH_KEYS = 5;
const PREFIX = 'load/';
const READS_AT_ONCE = 16;
const PROGRESS_DEADLINE_MS = 30_000;

/** What a worker does next, with its share of all steps. */
const STEPS = { get: 45, put: 27, delete: 8, batch: 12, ttl: 6, scan: 2 } as const;
type Step = keyof typeof STEPS;

/** How a node is asked: half of all steps over each. Scans are over HTTP: those of Redis show no values. */
type Via = 'http' | 'resp';

/**
 * Reads, writes, deletes, batches, TTLs and scans of a few contended keys at random nodes, over HTTP and as clients of Redis (whose batches
 * are pipelines), all of it in one ledger. Of every refusal the fault windows must know why; the first that they do not know, and the first value that is wrong, ends in `check`.
 */
export class DataLoad implements AsyncDisposable {
  readonly ledger = new DataLedger(new HistoryClock(() => performance.now()));
  readonly windows = new FaultWindows(() => performance.now());
  readonly judgements = new Map<Judgement, number>();
  /** Nodes whose clock is wrong: of what has a TTL they judge by it, so that such answers of theirs are not noted. */
  readonly wrongClocks = new Set<number>();
  readonly #cluster: Cluster;
  readonly #map: DataMap;
  readonly #client = new DataClient();
  readonly #respClient = new RespDataClient();
  /** What was answered as done over RESP. */
  respDone = 0;
  #stop = new AbortController();
  #workers: Promise<void>[] = [];
  #failure: Error | undefined;
  #values = 0;

  constructor(cluster: Cluster, map: DataMap) {
    this.#cluster = cluster;
    this.#map = map;
  }

  start(): void {
    this.#stop = new AbortController();
    this.#workers = Array.from({ length: WORKERS }, () => this.#work(this.#stop.signal));
  }

  /** Ends the workers, and waits for what they have asked for. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#workers);
    this.check();
  }

  /** Throws what has gone wrong so far, without the history. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Waits until that many more writes are acknowledged and reads are answered. */
  async progress(count: number): Promise<void> {
    const { writes, reads } = this.ledger;
    const end = performance.now() + PROGRESS_DEADLINE_MS;
    while (this.ledger.writes < writes + count || this.ledger.reads < reads + count) {
      this.check();
      if (performance.now() > end)
        throw new Error(
          `${this.ledger.writes - writes} writes and ${this.ledger.reads - reads} reads were done in ${PROGRESS_DEADLINE_MS / 1000} s, not ${count}`,
        );
      await sleep(20);
    }
  }

  /** Reads every key once, through a node that is drawn, into its history. */
  async readAll(): Promise<void> {
    const keys = this.ledger.keys.values();
    const reader = async (): Promise<void> => {
      for (const key of keys) await this.#key({ type: 'get', key });
    };
    await Promise.all(Array.from({ length: READS_AT_ONCE }, reader));
    this.check();
  }

  async #work(signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted && this.#failure === undefined) {
        const isDone = await this.#step(drawStep());
        await sleep(isDone ? PAUSE_MS : REFUSED_PAUSE_MS);
      }
    } catch (error) {
      this.#failure ??= error as Error;
    }
  }

  #step(step: Step): Promise<boolean> {
    switch (step) {
      case 'get':
        return this.#key({ type: 'get', key: draw(6) === 0 ? ttlKey() : plainKey() });
      case 'put':
        return this.#key(this.#put(plainKey()));
      case 'delete':
        return this.#key({ type: 'delete', key: plainKey() });
      case 'ttl':
        return this.#key({ ...this.#put(ttlKey()), ttlSeconds: 1 + draw(TTL_SECONDS_MAX) });
      case 'batch':
        return this.#batch();
      case 'scan':
        return this.#scan();
    }
  }

  #put(key: string): KeyIntent & { readonly type: 'put' } {
    return { type: 'put', key, value: `${key}#${++this.#values}` };
  }

  async #key(intent: KeyIntent): Promise<boolean> {
    const node = this.#pick();
    const via = drawVia();
    const asked = { by: nameOf(node, via), intent, beganAt: this.ledger.clock.next() };
    const outcome = (await this.#send(node, via, [intent]))[0] as KeyOutcome;
    const endedAt = this.ledger.clock.next();
    if (this.#isNoted(node, intent)) this.ledger.note(asked, outcome, endedAt);
    if (outcome.type === 'done') return true;
    this.#judge(node, [intent.key], outcome, asked.beganAt, endedAt, `${intent.type} over ${via}`);
    return false;
  }

  /** One outcome for each intent. */
  async #send(node: ClusterNode, via: Via, intents: readonly KeyIntent[]): Promise<readonly KeyOutcome[]> {
    const outcomes = await (via === 'resp'
      ? this.#respClient.sendPipeline(node.respTarget, intents)
      : this.#sendHttp(node, intents));
    if (outcomes.length !== intents.length)
      throw new Error(`${node.name} answered ${outcomes.length} of ${intents.length} operations`);
    if (via === 'resp') this.respDone += outcomes.filter(({ type }) => type === 'done').length;
    return outcomes;
  }

  async #sendHttp({ url }: ClusterNode, intents: readonly KeyIntent[]): Promise<readonly KeyOutcome[]> {
    const [first] = intents;
    if (first !== undefined && intents.length === 1) return [await this.#client.send(url, first)];
    return this.#client.sendBatch(url, intents);
  }

  async #batch(): Promise<boolean> {
    const node = this.#pick();
    const keys = new Set(Array.from({ length: BATCH_KEYS }, plainKey));
    const intents = [...keys].map((key): KeyIntent => {
      const kind = draw(10);
      return kind < 5 ? { type: 'get', key } : kind < 9 ? this.#put(key) : { type: 'delete', key };
    });
    const via = drawVia();
    const beganAt = this.ledger.clock.next();
    const outcomes = await this.#send(node, via, intents);
    let isDone = true;
    for (const [i, intent] of intents.entries()) {
      const outcome = outcomes[i] as KeyOutcome;
      const endedAt = this.ledger.clock.next();
      this.ledger.note({ by: nameOf(node, via), intent, beganAt }, outcome, endedAt);
      if (outcome.type === 'done') continue;
      isDone = false;
      // A batch that is refused as a whole may be so for the sake of any of its keys.
      const concerned = outcomes.every(({ type }) => type === 'refused') ? [...keys] : [intent.key];
      this.#judge(node, concerned, outcome, beganAt, endedAt, `batch ${intent.type} over ${via}`);
    }
    return isDone;
  }

  /** A scan reads each key that it passes: also those that it does not show. */
  async #scan(): Promise<boolean> {
    const node = this.#pick();
    const beganAt = this.ledger.clock.next();
    const outcome = await this.#client.scan(node.url, PREFIX);
    if (outcome.type === 'refused') {
      this.#judge(node, undefined, outcome, beganAt, this.ledger.clock.next(), 'scan');
      return false;
    }
    const last = outcome.isWhole ? undefined : [...outcome.values.keys()].at(-1);
    for (const key of this.ledger.keys) {
      const isPassed = outcome.isWhole || (last !== undefined && key <= last);
      const intent = { type: 'get', key } as const;
      if (!isPassed || !this.#isNoted(node, intent)) continue;
      const value = outcome.values.get(key);
      const asked = { by: `scan at ${node.name}`, intent, beganAt };
      this.ledger.note(asked, { type: 'done', value }, this.ledger.clock.next());
    }
    return true;
  }

  #isNoted(node: ClusterNode, intent: KeyIntent): boolean {
    const isJudgedByClock = intent.type === 'get' && intent.key.startsWith(TTL_PREFIX);
    return !isJudgedByClock || !this.wrongClocks.has(node.index);
  }

  /** `keys` undefined: all partitions. */
  #judge(
    node: ClusterNode,
    keys: readonly string[] | undefined,
    refusal: DataRefusal,
    beganAt: number,
    endedAt: number,
    what: string,
  ): void {
    const sets = keys?.map((key) => this.#map.ownersOf(key)) ?? this.#map.sets;
    const request = { ...refusal, asked: node.index, sets, beganAt, endedAt };
    const judgement = this.windows.judge(request);
    this.judgements.set(judgement, (this.judgements.get(judgement) ?? 0) + 1);
    if (judgement !== 'unexplained') return;
    const owners = keys === undefined ? 'all partitions' : `${keys.join(', ')} on ${JSON.stringify(sets)}`;
    this.#failure ??= new Error(
      `${node.name} refused a ${what} of ${owners} after ${Math.round(endedAt - beganAt)} ms with ${refusal.status} ${refusal.code}: ${refusal.detail}. ${this.windows.describe(request)}`,
    );
  }

  /** Any node that has a process; those that stand still seldom, since who asks them waits. */
  #pick(): ClusterNode {
    const running = this.#cluster.nodes.filter((node) => node.isRunning);
    const awake = running.filter((node) => node.isAwake);
    const among = awake.length > 0 && draw(20) > 0 ? awake : running;
    return among[draw(among.length)] ?? this.#cluster.node(1 + draw(this.#cluster.nodes.length));
  }

  summary(): string {
    const judged = [...this.judgements].map(([judgement, count]) => `${count} ${judgement}`).join(', ');
    return `${this.ledger.summary()}; ${this.respDone} done over RESP${judged === '' ? '' : ` (${judged})`}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#workers);
    this.#respClient[Symbol.dispose]();
    await this.#client[Symbol.asyncDispose]();
  }
}

const TTL_PREFIX = `${PREFIX}ttl-`;
const draw = (below: number): number => Math.floor(Math.random() * below);
const plainKey = (): string => `${PREFIX}key-${draw(KEYS)}`;
const ttlKey = (): string => `${TTL_PREFIX}${draw(TTL_KEYS)}`;

function drawVia(): Via {
  return draw(2) === 0 ? 'http' : 'resp';
}

function nameOf({ name }: ClusterNode, via: Via): string {
  return via === 'http' ? name : `${name} over RESP`;
}

function drawStep(): Step {
  const all = Object.entries(STEPS) as [Step, number][];
  const tickets = all.flatMap(([step, share]) => Array.from({ length: share }, () => step));
  return tickets[draw(tickets.length)] as Step;
}
