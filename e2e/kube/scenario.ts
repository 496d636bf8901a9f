import { randomBytes } from 'node:crypto';
import { Kubectl } from './kubectl.ts';

/** A scenario works in a namespace of its own, and tells each step with the time that it took. */
export type Scene = {
  readonly kubectl: Kubectl;
  /** What the pods are to run. */
  readonly image: string;
  step<T>(what: string, act: () => Promise<T>): Promise<T>;
};

/**
 * Runs a scenario in a new namespace that holds pods to the standard `restricted`, and deletes it afterwards. Where the scenario fails, it
 * prints what the cluster tells of the namespace first, and the process ends with exit code 1; with --keep the namespace stays.
 */
export async function runScenario(name: string, play: (scene: Scene) => Promise<void>): Promise<void> {
  const image = process.env.KVORUM_IMAGE;
  if (image === undefined)
    throw new Error('KVORUM_IMAGE names no image: ./dev.sh e2e builds one and names it');
  const namespace = `kvorum-${name}-${randomBytes(3).toString('hex')}`;
  const kubectl = new Kubectl(namespace);
  const start = performance.now();
  await kubectl.run('create', 'namespace', namespace);
  try {
    await kubectl.run('label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=restricted');
    await play({ kubectl, image, step });
    say(`${name}: passed in ${seconds(start)}`);
  } catch (error) {
    say(`${name}: FAILED after ${seconds(start)}`);
    process.stderr.write(`${await kubectl.describe()}\n`);
    console.error(error);
    process.exitCode = 1;
  } finally {
    if (process.argv.includes('--keep')) say(`${namespace} is kept: kubectl delete namespace ${namespace}`);
    else await remove(kubectl);
  }
}

/** Nobody waits for pods that wait until each other can do without them: once nothing new is let in, they are killed. */
async function remove(kubectl: Kubectl): Promise<void> {
  await kubectl.run('delete', 'namespace', kubectl.namespace, '--wait=false');
  await kubectl.run('delete', 'pods', '--all', '--grace-period=0', '--force');
  await kubectl.run('wait', '--for=delete', `namespace/${kubectl.namespace}`, '--timeout=120s');
}

async function step<T>(what: string, act: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await act();
  say(`  ${seconds(start).padStart(7)}  ${what}`);
  return result;
}

const seconds = (start: number): string => `${((performance.now() - start) / 1000).toFixed(1)} s`;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
