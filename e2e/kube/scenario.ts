import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { KubeClient } from '../../operator/kube/kube-client.ts';
import { connectKube } from '../../operator/kube/kube-config.ts';
import { systemClock } from '../../store/io/system-clock.ts';
import { Kubectl } from './kubectl.ts';
import type { LoadReport } from './load.ts';

/** A scenario works in a namespace of its own, and tells each step with the time that it took. */
export type Scene = {
  readonly kubectl: Kubectl;
  /** For what is asked often, or by conditions: a process for each question would cost more than what is tested. */
  readonly kube: KubeClient;
  /** What the pods are to run. */
  readonly image: string;
  /** What they are upgraded to: another image, or the same one by another name. */
  readonly imageNext: string;
  /** Of files that somebody may want to read afterwards. */
  readonly directory: string;
  step<T>(what: string, act: () => Promise<T>): Promise<T>;
  /** Into the result of the scenario. */
  record(report: LoadReport): void;
};

/** What is left of a scenario. */
export type ScenarioResult = {
  readonly name: string;
  readonly passed: boolean;
  readonly seconds: number;
  readonly steps: readonly { readonly what: string; readonly seconds: number }[];
  readonly loads: readonly LoadReport[];
  readonly failure?: string;
};

/** Where results are left, one NAME.json each, and the files of each run. */
export const RESULTS =
  process.env.KVORUM_E2E_RESULTS ?? new URL('../../.kvorum/e2e', import.meta.url).pathname;

/** Of namespaces of scenarios; one that is kept has it no more. */
const LABEL = 'kvorum.dev/scenario';

/**
 * Runs a scenario in a new namespace that holds pods to the standard `restricted`, and deletes it afterwards. Where the scenario fails, it
 * prints what the cluster tells of the namespace first, and the process ends with exit code 1; with --keep the namespace stays.
 */
export async function runScenario(name: string, play: (scene: Scene) => Promise<void>): Promise<void> {
  const { KVORUM_IMAGE: image, KVORUM_IMAGE_NEXT: imageNext } = process.env;
  if (image === undefined || imageNext === undefined)
    throw new Error(
      'KVORUM_IMAGE and KVORUM_IMAGE_NEXT name no images: ./dev.sh e2e builds one and names it',
    );
  const namespace = `kvorum-${name}-${randomBytes(3).toString('hex')}`;
  const kubectl = new Kubectl(namespace);
  const connection = await connectKube({}, { clock: systemClock });
  const kube = new KubeClient({ fieldManager: 'kvorum-e2e' }, { connection, clock: systemClock });
  const directory = `${RESULTS}/${namespace}`;
  await mkdir(directory, { recursive: true });
  const steps: { what: string; seconds: number }[] = [];
  const loads: LoadReport[] = [];
  const start = performance.now();
  let failure: string | undefined;
  await kubectl.run('create', 'namespace', namespace);
  try {
    const labels = ['pod-security.kubernetes.io/enforce=restricted', `${LABEL}=${name}`];
    await kubectl.run('label', 'namespace', namespace, ...labels);
    const step = stepInto(steps);
    await play({
      kubectl,
      kube,
      image,
      imageNext,
      directory,
      step,
      record: (report) => void loads.push(report),
    });
    say(`${name}: passed in ${secondsText(start)}`);
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error);
    say(`${name}: FAILED after ${secondsText(start)}: ${failure}`);
    process.stderr.write(`${await kubectl.describe()}\n`);
    console.error(error);
    process.exitCode = 1;
  }
  const result = { name, passed: failure === undefined, seconds: secondsSince(start), steps, loads };
  await writeFile(`${RESULTS}/${name}.json`, JSON.stringify({ ...result, ...(failure && { failure }) }));
  if (process.argv.includes('--keep')) {
    await kubectl.run('label', 'namespace', namespace, `${LABEL}-`);
    say(`${namespace} is kept: kubectl delete namespace ${namespace}`);
  } else await remove(kubectl);
  await connection.close();
}

/** Of scenarios that were interrupted, which would keep those waiting that want to be alone. */
export async function removeLeftovers(): Promise<void> {
  const text = await new Kubectl('default').run('get', 'namespaces', '--selector', LABEL, '--output', 'name');
  for (const name of text.split('\n').filter((line) => line !== ''))
    await remove(new Kubectl(name.replace('namespace/', '')));
}

/** Nobody waits for pods that wait until each other can do without them: once nothing new is let in, they are killed. */
async function remove(kubectl: Kubectl): Promise<void> {
  await kubectl.run('delete', 'namespace', kubectl.namespace, '--wait=false');
  await kubectl.run('delete', 'pods', '--all', '--grace-period=0', '--force');
  await kubectl.run('wait', '--for=delete', `namespace/${kubectl.namespace}`, '--timeout=120s');
}

function stepInto(steps: { what: string; seconds: number }[]): Scene['step'] {
  return async (what, act) => {
    const start = performance.now();
    const result = await act();
    say(`  ${secondsText(start).padStart(7)}  ${what}`);
    steps.push({ what, seconds: secondsSince(start) });
    return result;
  };
}

const secondsSince = (start: number): number => Math.round((performance.now() - start) / 100) / 10;
const secondsText = (start: number): string => `${secondsSince(start).toFixed(1)} s`;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
