import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { homedir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../e2e/lib/server-process.ts';

/** Where e2e/kube/build.sh puts what it builds (e2e/kube/lib.sh). */
const VERSION = '1.34.4';
const CACHE = process.env.XDG_CACHE_HOME ?? `${homedir()}/.cache`;
const PROGRAMS = process.env.KVORUM_KUBE_BIN ?? `${CACHE}/kvorum-kube/${VERSION}`;
const START_DEADLINE_MS = 60_000;
const STOP_GRACE_MS = 5000;
const LOG_CHARS = 600;
const LOOK_MS = 100;

/** Who may do anything, and who is the operator: another one, since the server is fairer to those that are not its masters. */
const USERS = { admin: 'system:masters', operator: 'kvorum:operators' } as const;
export type User = keyof typeof USERS;
export const OPERATORS_GROUP = USERS.operator;

/** Each call with who made it, when it was answered, and how; no bodies. */
const AUDIT_POLICY = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{ level: 'Metadata' }],
};

/**
 * A real API server on a real etcd, both on loopback and nothing else: no controllers, no scheduler, no kubelet. Nothing of it is outside of
 * `directory`. etcd does not sync to the disk.
 */
export class ControlPlane implements AsyncDisposable {
  readonly url: string;
  readonly auditLog: string;
  readonly #directory: string;
  readonly #children: ChildProcess[] = [];

  private constructor(directory: string, port: number) {
    this.#directory = directory;
    this.url = `https://127.0.0.1:${port}`;
    this.auditLog = `${directory}/audit.log`;
  }

  static async start(directory: string): Promise<ControlPlane> {
    if (!existsSync(`${PROGRAMS}/kube-apiserver`))
      throw new Error(
        `${PROGRAMS} has no kube-apiserver: e2e/kube/build.sh builds it, once, in about 5 minutes`,
      );
    const [port, etcdPort, peerPort] = [await freePort(), await freePort(), await freePort()];
    const plane = new ControlPlane(directory, port);
    try {
      plane.#writeFiles();
      plane.#startEtcd(etcdPort, peerPort);
      plane.#startApiServer(port, etcdPort);
      await plane.#isReady();
      return plane;
    } catch (error) {
      await plane[Symbol.asyncDispose]();
      throw error;
    }
  }

  kubeconfigOf(user: User): string {
    return `${this.#directory}/${user}.kubeconfig`;
  }

  /** Of the API server. */
  get pid(): number {
    return this.#children.at(-1)?.pid ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The server before what it writes to.
    for (const child of this.#children.splice(0).toReversed()) await end(child);
  }

  #writeFiles(): void {
    mkdirSync(this.#directory, { recursive: true });
    const { publicKey, privateKey } = generateKeyPairSync('ec', {
      namedCurve: 'P-256',
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'sec1', format: 'pem' },
    });
    const users = Object.entries(USERS).map(([name, group]) => ({
      name,
      group,
      token: randomBytes(16).toString('hex'),
    }));
    const write = (name: string, text: string): void =>
      writeFileSync(`${this.#directory}/${name}`, text, { mode: 0o600 });
    write('accounts.pub', publicKey);
    write('accounts.key', privateKey);
    write('audit.json', JSON.stringify(AUDIT_POLICY));
    write(
      'tokens.csv',
      users.map(({ name, group, token }) => `${token},${name},${name},"${group}"\n`).join(''),
    );
    for (const { name, token } of users) write(`${name}.kubeconfig`, JSON.stringify(this.#kubeconfig(token)));
  }

  /** The certificate is one that the server made for itself. */
  #kubeconfig(token: string): object {
    return {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'bench',
      contexts: [{ name: 'bench', context: { cluster: 'bench', user: 'bench' } }],
      clusters: [{ name: 'bench', cluster: { server: this.url, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'bench', user: { token } }],
    };
  }

  #startEtcd(port: number, peerPort: number): void {
    const url = `http://127.0.0.1:${port}`;
    this.#start('etcd', {
      'data-dir': `${this.#directory}/etcd`,
      'listen-client-urls': url,
      'advertise-client-urls': url,
      'listen-peer-urls': `http://127.0.0.1:${peerPort}`,
      'unsafe-no-fsync': 'true',
      'log-level': 'warn',
    });
  }

  #startApiServer(port: number, etcdPort: number): void {
    const directory = this.#directory;
    this.#start('kube-apiserver', {
      'etcd-servers': `http://127.0.0.1:${etcdPort}`,
      'bind-address': '127.0.0.1',
      'advertise-address': '127.0.0.1',
      'secure-port': String(port),
      'cert-dir': `${directory}/certificates`,
      'service-cluster-ip-range': '10.96.0.0/16',
      'endpoint-reconciler-type': 'none',
      'authorization-mode': 'RBAC',
      'token-auth-file': `${directory}/tokens.csv`,
      'service-account-issuer': 'https://kubernetes.default.svc',
      'service-account-key-file': `${directory}/accounts.pub`,
      'service-account-signing-key-file': `${directory}/accounts.key`,
      'audit-policy-file': `${directory}/audit.json`,
      'audit-log-path': this.auditLog,
      'audit-log-maxsize': '1000',
    });
  }

  #start(program: string, flags: Readonly<Record<string, string>>): void {
    const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
    const log = openSync(this.#logOf(program), 'a');
    const child = spawn(`${PROGRAMS}/${program}`, args, { stdio: ['ignore', log, log] });
    closeSync(log);
    // A run that fails half way must not leave its processes behind.
    const endWithRun = (): boolean => child.kill('SIGKILL');
    process.once('exit', endWithRun);
    child.once('exit', () => process.off('exit', endWithRun));
    this.#children.push(child);
  }

  async #isReady(): Promise<void> {
    const deadlineMs = performance.now() + START_DEADLINE_MS;
    while (!(await answers(`${this.url}/readyz`))) {
      const hasEnded = this.#children.some(({ exitCode }) => exitCode !== null);
      if (hasEnded || performance.now() > deadlineMs)
        throw new Error(`the API server is not ready: ${this.#lastWords()}`);
      await sleep(LOOK_MS);
    }
  }

  #lastWords(): string {
    return ['etcd', 'kube-apiserver']
      .map((each) => readFileSync(this.#logOf(each), 'utf8').slice(-LOG_CHARS))
      .join('\n');
  }

  #logOf(program: string): string {
    return `${this.#directory}/${program}.log`;
  }
}

/** Whether it says 200, to anybody. */
function answers(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(url, { rejectUnauthorized: false, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.once('error', () => resolve(false));
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_GRACE_MS);
  await ended;
  clearTimeout(timer);
}
