import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from '../../e2e/lib/server-process.ts';
import { buildGo } from './peers.ts';

export type EtcdClusterOptions = {
  readonly nodes: number;
  readonly electionTimeoutMs: number;
  readonly heartbeatMs: number;
  /** Holds the program, the data directories and the logs. */
  readonly directory: string;
};

export type EtcdMember = {
  readonly name: string;
  /** Of the JSON interface, which is etcd's own gateway to its gRPC interface. */
  readonly url: string;
  readonly endpoint: string;
  /** undefined while it is down. */
  readonly pid: number | undefined;
};

/** Rate and latencies of a load, as bench/http-load and `etcd kv-load` print them. */
export type KvLoad = {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
  readonly operations: number;
  /** Of the load's own process. */
  readonly cpuSeconds: number;
};

export type KvLoadOptions = {
  readonly clients: number;
  readonly seconds: number;
  readonly putPercent: number;
  readonly valueBytes: number;
  readonly keys: number;
  /** Requests of a client under way at once; 1 where absent. */
  readonly depth?: number;
  /** Requests that begin in a second, by the clock; as many as are answered where absent. */
  readonly perSecond?: number;
};

export type PutLoad = { readonly puts: number; readonly p50Ms: number; readonly p99Ms: number };

const START_DEADLINE_MS = 30_000;
const REQUEST_TIMEOUT_MS = 1000;
const run = promisify(execFile);

/** Starts an etcd cluster of processes on loopback; undefined, with a word on the terminal, where Go is missing. */
export async function startEtcdCluster(options: EtcdClusterOptions): Promise<EtcdCluster | undefined> {
  mkdirSync(options.directory, { recursive: true });
  const binary = buildGo('etcd', `${options.directory}/etcd-bench`);
  if (binary === undefined) return undefined;
  const members: Member[] = [];
  for (let i = 1; i <= options.nodes; i++)
    members.push(new Member(`m${i}`, await freePort(), await freePort()));
  const cluster = new EtcdCluster(binary, members, options);
  try {
    await Promise.all(members.map((_, i) => cluster.restart(i)));
    await cluster.leader();
    return cluster;
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

class Member implements EtcdMember {
  readonly name: string;
  readonly clientPort: number;
  readonly peerPort: number;
  process: ChildProcess | undefined;

  constructor(name: string, clientPort: number, peerPort: number) {
    this.name = name;
    this.clientPort = clientPort;
    this.peerPort = peerPort;
  }

  get pid(): number | undefined {
    return this.process?.pid;
  }

  get endpoint(): string {
    return `127.0.0.1:${this.clientPort}`;
  }

  get url(): string {
    return `http://${this.endpoint}`;
  }
}

export class EtcdCluster {
  readonly #binary: string;
  readonly #members: readonly Member[];
  readonly #options: EtcdClusterOptions;

  constructor(binary: string, members: readonly Member[], options: EtcdClusterOptions) {
    this.#binary = binary;
    this.#members = members;
    this.#options = options;
  }

  get members(): readonly EtcdMember[] {
    return this.#members;
  }

  /** Which member leads, by its own word; waits for one. */
  async leader(): Promise<number> {
    const deadlineMs = performance.now() + START_DEADLINE_MS;
    while (performance.now() < deadlineMs) {
      for (const [i, member] of this.#members.entries()) {
        const status = member.process === undefined ? undefined : await statusOf(member);
        if (status !== undefined && status.leader !== '0' && status.leader === status.header.member_id)
          return i;
      }
      await sleep(20);
    }
    throw new Error(`the etcd cluster has no leader after ${START_DEADLINE_MS} ms`);
  }

  /** How far the member's state is: the index that it has applied. */
  async appliedIndex(i: number): Promise<number | undefined> {
    const status = await statusOf(this.#member(i));
    return status === undefined ? undefined : Number(status.raftAppliedIndex);
  }

  /** kill -9 */
  async kill(i: number): Promise<void> {
    const member = this.#member(i);
    const child = member.process;
    member.process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  /** Starts a member that is down, on its own directory; resolves once it listens. */
  async restart(i: number): Promise<void> {
    const member = this.#member(i);
    const child = this.#spawn(member);
    member.process = child;
    await listens(child, this.#logOf(member));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#members.map((_, i) => this.kill(i)));
  }

  /** Puts by `clients` loops of the Go client, over gRPC, to the member at `i`. */
  async putLoad(
    i: number,
    load: { readonly clients: number; readonly seconds: number; readonly valueBytes: number },
  ) {
    const { clients, seconds, valueBytes } = load;
    const args = ['put-load', this.#member(i).endpoint, clients, seconds, valueBytes].map(String);
    const { stdout } = await run(this.#binary, args);
    return JSON.parse(stdout) as PutLoad;
  }

  /** One put over the JSON interface of the member at `i`. */
  async put(i: number, key: string, value: string): Promise<void> {
    const encoded = (text: string): string => Buffer.from(text).toString('base64');
    const body = JSON.stringify({ key: encoded(key), value: encoded(value) });
    const answer = await fetch(`${this.#member(i).url}/v3/kv/put`, { method: 'POST', body });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`a put was answered ${answer.status}: ${text}`);
  }

  /** Puts and linearizable gets of random keys by loops of the Go client, spread over the members. */
  async kvLoad(load: KvLoadOptions): Promise<KvLoad> {
    const { clients, seconds, putPercent, valueBytes, keys, depth = 1, perSecond = 0 } = load;
    const endpoints = this.#members.map(({ endpoint }) => endpoint).join(',');
    const args = ['kv-load', endpoints, clients, seconds, putPercent, valueBytes, keys, depth, perSecond];
    const { stdout } = await run(this.#binary, args.map(String));
    return JSON.parse(stdout) as KvLoad;
  }

  #spawn(member: Member): ChildProcess {
    const cluster = this.#members
      .map(({ name, peerPort }) => `${name}=http://127.0.0.1:${peerPort}`)
      .join(',');
    const flags = {
      name: member.name,
      dir: `${this.#options.directory}/${member.name}`,
      'client-port': member.clientPort,
      'peer-port': member.peerPort,
      cluster,
      'election-ms': this.#options.electionTimeoutMs,
      'heartbeat-ms': this.#options.heartbeatMs,
    };
    const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
    const log = openSync(this.#logOf(member), 'a');
    const child = spawn(this.#binary, ['member', ...args], { stdio: ['ignore', 'pipe', log] });
    closeSync(log);
    // A run that fails half way must not leave its members behind.
    const endWithRun = (): boolean => child.kill('SIGKILL');
    process.once('exit', endWithRun);
    child.once('exit', () => process.off('exit', endWithRun));
    return child;
  }

  #logOf(member: Member): string {
    return `${this.#options.directory}/${member.name}.log`;
  }

  #member(i: number): Member {
    const member = this.#members[i];
    if (member === undefined)
      throw new RangeError(`the cluster has ${this.#members.length} members, none at ${i}`);
    return member;
  }
}

type EtcdStatus = {
  readonly header: { readonly member_id: string };
  /** '0' where it knows none. */
  readonly leader: string;
  readonly raftAppliedIndex: string;
};

async function statusOf(member: Member): Promise<EtcdStatus | undefined> {
  try {
    const answer = await fetch(`${member.url}/v3/maintenance/status`, {
      method: 'POST',
      body: '{}',
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    const status = (await answer.json()) as EtcdStatus;
    return answer.ok ? { ...status, leader: status.leader ?? '0' } : undefined;
  } catch {
    return undefined;
  }
}

async function listens(child: ChildProcess, logFile: string): Promise<void> {
  const failed = (how: string): Error =>
    new Error(`the etcd member ${how}; the end of its log:\n${readFileSync(logFile, 'utf8').slice(-1000)}`);
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(failed(`did not listen in ${START_DEADLINE_MS} ms`)),
      START_DEADLINE_MS,
    );
    child.stdout?.once('data', () => resolve());
    child.once('error', reject);
    child.once('exit', (code, signal) => reject(failed(`ended with ${code ?? signal}`)));
    child.once('exit', () => clearTimeout(timer));
    child.stdout?.once('data', () => clearTimeout(timer));
  });
}
