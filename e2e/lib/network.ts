import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Place } from './cluster-node.ts';
import { ensureDebianPackage } from './debian.ts';

/** Set in the process that has a network of its own; variables that begin with KVORUM_ are settings. */
const INSIDE = 'E2E_NETWORK';
const IP = '/usr/sbin/ip';
const UNSHARE = '/usr/bin/unshare';

/** Why this machine cannot make networks for a test; undefined where it can. */
export function networkObstacle(): string | undefined {
  if (process.platform !== 'linux') return 'network namespaces are of Linux';
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  if (!existsSync(UNSHARE)) return `${UNSHARE} is missing (Debian package util-linux)`;
  try {
    ensureDebianPackage('iproute2', IP);
    execFileSync(UNSHARE, ['--net', IP, 'link', 'add', 'probe', 'type', 'bridge'], { stdio: 'pipe' });
  } catch (error) {
    return `this machine makes no bridge in a network namespace: ${(error as Error).message.trim()}`;
  }
  return undefined;
}

export function isInsideNetwork(): boolean {
  return process.env[INSIDE] !== undefined;
}

/**
 * Runs a script of ours in a network and a mount namespace of its own, where it may make a Network. All of it is gone
 * when the script ends, and nothing outside is touched. Resolves with the exit code.
 */
export function runInNetwork(script: readonly string[], print: (line: string) => void): Promise<number> {
  mkdirSync('/run/netns', { recursive: true });
  const shell = 'mount -t tmpfs tmpfs /run/netns && exec "$@"';
  const child = spawn(UNSHARE, ['--net', '--mount', 'sh', '-c', shell, 'sh', process.execPath, ...script], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, [INSIDE]: '1' },
  });
  for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', print);
  const endWithRun = (): boolean => child.kill('SIGKILL');
  process.once('exit', endWithRun);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      process.off('exit', endWithRun);
      resolve(code ?? 1);
    });
  });
}

/**
 * A network namespace for each node, with two interfaces: one to the other nodes, over a bridge for each side of a
 * partition, and one to the test, which always reaches every node. A partition moves interfaces between bridges, so
 * that packets vanish and connections stay open, as they do in life.
 */
export class Network {
  readonly #size: number;

  constructor({ size }: { readonly size: number }) {
    this.#size = size;
    ip('link set lo up');
    ip('link add test type bridge');
    ip('addr add 10.77.2.254/24 dev test');
    ip('link set test up');
    for (let side = 0; side < size; side++) {
      ip(`link add ${bridge(side)} type bridge`);
      ip(`link set ${bridge(side)} up`);
    }
    for (let index = 1; index <= size; index++) addNamespace(index);
  }

  place(index: number): Place {
    return {
      peerHost: `10.77.1.${index}`,
      httpHost: `10.77.2.${index}`,
      prefix: [IP, 'netns', 'exec', namespace(index)],
    };
  }

  /** Nodes reach those of their own side only; every node is of one side. */
  partition(sides: readonly (readonly number[])[]): void {
    for (const [side, indexes] of sides.entries())
      for (const index of indexes) ip(`link set peer${index} master ${bridge(side)}`);
  }

  heal(): void {
    this.partition([Array.from({ length: this.#size }, (_, i) => i + 1)]);
  }
}

function addNamespace(index: number): void {
  const name = namespace(index);
  ip(`netns add ${name}`);
  ip(`link add peer${index} type veth peer name eth0 netns ${name}`);
  ip(`link add test${index} type veth peer name eth1 netns ${name}`);
  ip(`link set peer${index} master ${bridge(0)} up`);
  ip(`link set test${index} master test up`);
  ip(`-n ${name} link set lo up`);
  ip(`-n ${name} addr add 10.77.1.${index}/24 dev eth0`);
  ip(`-n ${name} addr add 10.77.2.${index}/24 dev eth1`);
  ip(`-n ${name} link set eth0 up`);
  ip(`-n ${name} link set eth1 up`);
}

const namespace = (index: number): string => `kvorum-${index}`;
const bridge = (side: number): string => `side${side}`;

function ip(command: string): void {
  try {
    execFileSync(IP, command.split(' '), { stdio: ['ignore', 'ignore', 'pipe'] });
  } catch (error) {
    throw new Error(`ip ${command}: ${String((error as { stderr?: Buffer }).stderr).trim()}`);
  }
}
