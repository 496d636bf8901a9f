import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;
const POLL_MS = 200;

export type Pod = {
  readonly metadata: { readonly name: string; readonly uid: string };
  readonly status: {
    readonly phase: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly { readonly restartCount: number }[];
  };
};

/** kubectl of the PATH, on a namespace. Each call throws with what kubectl printed where it fails. */
export class Kubectl {
  readonly namespace: string;

  constructor(namespace: string) {
    this.namespace = namespace;
  }

  async run(...args: readonly string[]): Promise<string> {
    return await this.send('', ...args);
  }

  /** YAML or JSON, of any number of objects. */
  async apply(text: string): Promise<void> {
    await this.send(text, 'apply', '--filename', '-');
  }

  /** With `input` on its standard input. */
  async send(input: string, ...args: readonly string[]): Promise<string> {
    try {
      const command = ['--namespace', this.namespace, ...args];
      const running = run('kubectl', command, { maxBuffer: OUTPUT_BYTES_MAX });
      running.child.stdin?.end(input);
      return (await running).stdout;
    } catch (cause) {
      const { stderr } = cause as { stderr?: string };
      throw new Error(`kubectl ${args.join(' ')}: ${stderr?.trim() || String(cause)}`, { cause });
    }
  }

  async json<T>(...args: readonly string[]): Promise<T> {
    return JSON.parse(await this.run(...args, '--output', 'json')) as T;
  }

  /** `kvorum ARGS` within a pod. */
  async kvorum(pod: string, ...args: readonly string[]): Promise<string> {
    return await this.run('exec', pod, '--container', 'kvorum', '--', 'kvorum', ...args);
  }

  async pods(selector: string): Promise<readonly Pod[]> {
    const { items } = await this.json<{ items: readonly Pod[] }>('get', 'pods', '--selector', selector);
    return items;
  }

  /** What the cluster tells of the namespace, for somebody who asks why. */
  async describe(): Promise<string> {
    const parts = [
      ['get', 'pods,persistentvolumeclaims', '--output', 'wide'],
      ['get', 'events', '--sort-by', '.lastTimestamp'],
      ['logs', '--selector', 'app.kubernetes.io/name=kvorum', '--tail', '15', '--prefix'],
    ];
    const texts = await Promise.all(parts.map(async (args) => await this.run(...args).catch(String)));
    return texts.join('\n');
  }
}

export function isPodReady({ status }: { readonly status?: Pick<Pod['status'], 'conditions'> }): boolean {
  return status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false;
}

/** Asks until there is an answer, and returns it; throws with `what` and the last failure after `limitMs`. */
export async function until<T>(what: string, limitMs: number, ask: () => Promise<T | undefined>): Promise<T> {
  const end = performance.now() + limitMs;
  let failure: unknown;
  while (performance.now() < end) {
    try {
      const answer = await ask();
      if (answer !== undefined) return answer;
    } catch (error) {
      failure = error;
    }
    await sleep(POLL_MS);
  }
  throw new Error(`${what}: not within ${limitMs / 1000} s`, { cause: failure });
}
