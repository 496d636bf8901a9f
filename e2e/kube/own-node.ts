import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';

/** The node of the project's own Kubernetes (up.sh), from beside it: what no API gives, such as the death of a process. */

const run = promisify(execFile);
const RUN = '/run/kvorum-kube';
const UP = new URL('up.sh', import.meta.url).pathname;

export function needOwnNode(): void {
  if (!existsSync(`${RUN}/containerd.sock`))
    throw new Error(
      "this scenario works on processes of the node, which it can do on the project's own Kubernetes alone: ./dev.sh k8s up --own",
    );
}

/** The first process of a container that runs. */
export async function processOf(namespace: string, pod: string, container: string): Promise<number> {
  const labels = { 'pod.namespace': namespace, 'pod.name': pod, 'container.name': container };
  const filter = Object.entries(labels)
    .map(([label, value]) => `labels."io.kubernetes.${label}"==${value}`)
    .join(',');
  const ids = (await ctr('containers', 'ls', '--quiet', filter)).split('\n').filter((id) => id !== '');
  const tasks = (await ctr('tasks', 'ls')).split('\n').map((line) => line.trim().split(/\s+/));
  const task = tasks.find(([id = '', , status]) => ids.includes(id) && status === 'RUNNING');
  if (task === undefined) throw new Error(`${container} of ${pod} in ${namespace} does not run`);
  return Number(task[1]);
}

/** kill -9: neither a hook nor a signal comes before it. */
export async function killProcess(namespace: string, pod: string, container = 'kvorum'): Promise<void> {
  process.kill(await processOf(namespace, pod, container), 'SIGKILL');
}

/** In the network namespace of a pod. */
export async function inNetworkOf(pid: number, ...command: readonly string[]): Promise<string> {
  const { stdout } = await run('nsenter', [`--net=/proc/${pid}/ns/net`, ...command]);
  return stdout;
}

/** `kube-apiserver`, or another one of up.sh. */
export function killComponent(name: string): void {
  process.kill(Number(readFileSync(`${RUN}/${name}.pid`, 'utf8')), 'SIGKILL');
}

/** Starts what has ended, and returns when the API server answers. */
export async function startComponents(): Promise<void> {
  await run(UP);
}

async function ctr(...args: readonly string[]): Promise<string> {
  const { stdout } = await run('ctr', [
    '--address',
    `${RUN}/containerd.sock`,
    '--namespace',
    'k8s.io',
    ...args,
  ]);
  return stdout;
}
