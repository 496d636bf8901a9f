import { existsSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { KvorumClient, KvorumError, type Operation, type Topology } from '@kvorum/client';
import { stopLocalNode } from './down.ts';
import { LOCAL_ROOT, type LocalNode, localNodes, nodesUpTo, readPid } from './local-node.ts';
import { type Observation, observe, observePlacement } from './observe.ts';
import {
  highestMember,
  isEven,
  isScaled,
  isUnderWay,
  planScale,
  type ScaleAct,
  type ScaleNode,
} from './scale-plan.ts';
import { type Exit, startLocalNode } from './start-local-node.ts';
import { placementText, verdictOf } from './verdict.ts';

const LOOK_MS = 250;
const LINE_MS = 1000;
const CALL_TIMEOUT_MS = 5000;
/** Without any change for this long it ends, and says what it waits for. */
const STALL_MS = 300_000;
/** Partitions of which none arrives for this long are shown with what they wait for. */
const PATIENCE_MS = 5000;
/** More than `cluster.rebalanceAfterMs`: what has not begun to move by then does not have to. */
const QUIET_MS = 8000;
/** Refusals that end by themselves: what they wait for is on its way; a drain that cannot be cancelled any more has just ended. */
const PASSING = new Set([
  'QUORUM_AT_RISK',
  'LAST_MEMBER',
  'MEMBER_OWNS_DATA',
  'EPOCH_CHANGED',
  'OPERATION_NOT_CANCELLABLE',
]);
const GONE = 'MEMBER_NOT_FOUND';

export type ScaleEnding = 'done' | 'failed' | 'left';
type Look = {
  readonly observations: readonly Observation[];
  readonly nodes: readonly ScaleNode[];
  readonly topology: Topology | undefined;
  readonly operations: readonly Operation[];
};

/** Observes, plans, acts, and does it again until everything is where it should be. */
export class ScaleRun implements AsyncDisposable {
  readonly #target: number;
  readonly #client: KvorumClient;
  readonly #startedAt = performance.now();
  /** Of the nodes that were started here. */
  readonly #exits = new Map<string, Exit>();
  #changedAt = performance.now();
  #shown = { text: '', atMs: 0 };
  #wait = '';
  #left = 0;
  #movedAt = performance.now();

  constructor(target: number) {
    this.#target = target;
    const running = localNodes().filter((node) => readPid(node) !== undefined);
    this.#client = new KvorumClient({ url: running.map(({ url }) => url), timeoutMs: CALL_TIMEOUT_MS });
  }

  /** `mustLeave` is asked between any two acts. */
  async toTheEnd(mustLeave: () => boolean): Promise<ScaleEnding> {
    for (;;) {
      if (mustLeave()) return 'left';
      const look = await this.#look();
      const acts = planScale(this.#target, look.nodes, look.topology);
      for (const act of acts) {
        if (mustLeave()) return 'left';
        if (!(await this.#do(act))) return 'failed';
      }
      if (this.#isDone(look)) return this.#report(look);
      if (acts.length === 0) this.#show(this.#progressOf(look));
      if (performance.now() - this.#changedAt > STALL_MS) return this.#giveUp();
      await sleep(LOOK_MS);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close();
  }

  /** The topology is that of the leader: what is taken away rests on it. */
  async #look(): Promise<Look> {
    const [topology, list] = await Promise.all([
      this.#client.topology().catch(passing),
      this.#client.operations({ consistency: 'local' }).catch(passing),
    ]);
    const highest = Math.max(localNodes().length, this.#target, topology ? highestMember(topology) : 0);
    const all = nodesUpTo(highest);
    const observations = await observe(all);
    const nodes = observations.map(({ node, pid, status }) => {
      const state = status?.node.state;
      return { node, hasDirectory: existsSync(node.directory), isRunning: pid !== undefined, state };
    });
    return { observations, nodes, topology, operations: list?.operations ?? [] };
  }

  #isDone({ observations, nodes, topology, operations }: Look): boolean {
    if (topology === undefined || !isScaled(this.#target, nodes, topology)) return false;
    const isMoving = topology.partitions.some(({ move }) => move !== undefined);
    if (isMoving || operations.some(isUnderWay)) return false;
    if (!verdictOf(observations.slice(0, this.#target)).isWell) return false;
    return isEven(topology) || performance.now() - this.#changedAt > QUIET_MS;
  }

  /** False where it cannot be done, and never will. */
  async #do({ type, node }: ScaleAct): Promise<boolean> {
    const { name } = node;
    switch (type) {
      case 'start':
        return this.#start(node);
      case 'stop':
        this.#say(`stopping ${name}, which is no member any more`);
        return (await stopLocalNode(node)) || this.#fail(`${name} has not ended: look at ${node.logFile}`);
      case 'discard':
        rmSync(node.directory, { recursive: true });
        this.#say(`deleted ${node.directory}: what ${name} held is on the others`);
        return true;
      case 'drain':
        return this.#ask(`draining ${name}`, () => this.#client.drainMember(name));
      case 'cancel-drain':
        return this.#ask(`keeping ${name}: its drain is cancelled`, () => this.#client.cancelDrain(name));
      case 'remove':
        return this.#ask(`removing ${name}, which holds no data`, () => this.#client.removeMember(name));
    }
  }

  #start(node: LocalNode): boolean {
    const code = this.#exits.get(node.name)?.code;
    if (code !== undefined)
      return this.#fail(`${node.name} ended with code ${code}: ./dev.sh logs ${node.index} shows why`);
    this.#say(`starting ${node.name}`);
    this.#exits.set(node.name, startLocalNode(node, nodesUpTo(this.#target)));
    return true;
  }

  /** What passes by itself is tried again; a member that has gone meanwhile is what was wanted. */
  async #ask(what: string, call: () => Promise<unknown>): Promise<boolean> {
    try {
      await call();
      this.#say(what);
      return true;
    } catch (error) {
      if (!(error instanceof KvorumError)) throw error;
      if (error.code === GONE) return true;
      if (!error.retryable && !PASSING.has(error.code)) return this.#fail(`${what}: ${error.message}`);
      this.#wait = `${what} waits: ${error.message}`;
      return true;
    }
  }

  #progressOf({ observations, operations }: Look): string {
    const left = operations.filter(isUnderWay);
    const count = left.reduce((sum, { partitionsLeft }) => sum + partitionsLeft, 0);
    if (count !== this.#left) this.#movedAt = performance.now();
    this.#left = count;
    if (left.length === 0)
      return this.#wait || verdictOf(observations.slice(0, this.#target)).text.replace('not well: ', '');
    // Each step waits for somebody: worth telling is what stands still.
    const isSlow = performance.now() - this.#movedAt > PATIENCE_MS;
    return left
      .map(({ id, partitionsLeft, partitionsMoving, blockedBy }) => {
        const wait = blockedBy === undefined || !isSlow ? '' : `, blocked by ${blockedBy}`;
        return `${id}: ${partitionsLeft} partitions left, ${partitionsMoving} moving${wait}`;
      })
      .join('; ');
  }

  /** A line about what goes on, where it changed, once a second at most. */
  #show(text: string): void {
    this.#wait = '';
    if (text === this.#shown.text) return;
    this.#changedAt = performance.now();
    if (this.#changedAt - this.#shown.atMs < LINE_MS) return;
    this.#shown = { text, atMs: this.#changedAt };
    this.#write(text);
  }

  #say(text: string): void {
    this.#changedAt = performance.now();
    this.#write(text);
  }

  #write(text: string): void {
    const seconds = ((performance.now() - this.#startedAt) / 1000).toFixed(1).padStart(6);
    process.stderr.write(`${seconds} s  ${text}\n`);
  }

  #fail(text: string): false {
    process.stderr.write(`scale: ${text}\n`);
    return false;
  }

  #giveUp(): ScaleEnding {
    this.#fail(
      `nothing has changed for ${STALL_MS / 1000} s. It waits for: ${this.#shown.text}. ./dev.sh status and ./dev.sh logs show more; ./dev.sh scale goes on from here`,
    );
    return 'failed';
  }

  async #report({ observations }: Look): Promise<ScaleEnding> {
    const staying = observations.slice(0, this.#target);
    const seconds = ((performance.now() - this.#startedAt) / 1000).toFixed(1);
    const verdict = verdictOf(staying).text.replace('ok: ', '');
    process.stdout.write(`scaled in ${seconds} s: ${verdict} (data and logs in ${LOCAL_ROOT})\n`);
    process.stdout.write(`${staying.map(({ node }) => node.url).join('  ')}\n`);
    const placement = await observePlacement(staying);
    if (placement !== undefined) process.stdout.write(`${placementText(placement)}\n`);
    return 'done';
  }
}

/** Nobody leads, or nobody answers: the next look may find out. */
function passing(error: unknown): undefined {
  if (error instanceof KvorumError && error.retryable) return undefined;
  throw error;
}
