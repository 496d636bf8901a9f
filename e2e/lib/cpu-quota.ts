import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import type { Place } from './cluster-node.ts';
import { LOOPBACK } from './cluster-node.ts';

const V1 = '/sys/fs/cgroup/cpu';
const V2 = '/sys/fs/cgroup';
/** Short, so that a node that has used up its share stands still for milliseconds only. */
const PERIOD_US = 10_000;

/** Why processes cannot be given a share of the processor here; undefined where they can. */
export function cpuQuotaObstacle(): string | undefined {
  const root = rootOfGroups();
  if (root === undefined) return 'this machine has no control group for the processor';
  try {
    accessSync(root, constants.W_OK);
    return undefined;
  } catch {
    return `${root} is not writable: shares of the processor need root`;
  }
}

/**
 * Gives each node so much of a core, and no more, as a machine of its own would: else nodes that are added to one machine take
 * from those that are there. Ended, it removes the control groups, whose processes must have ended.
 */
export class CpuQuota implements Disposable {
  readonly #cores: number;
  readonly #directories = new Set<string>();

  constructor({ cores }: { readonly cores: number }) {
    this.#cores = cores;
  }

  place(index: number): Place {
    const directory = `${rootOfGroups()}/kvorum-${process.pid}-${index}`;
    mkdirSync(directory, { recursive: true });
    this.#directories.add(directory);
    const quotaUs = Math.round(this.#cores * PERIOD_US);
    if (existsSync(`${directory}/cpu.max`)) writeFileSync(`${directory}/cpu.max`, `${quotaUs} ${PERIOD_US}`);
    else {
      writeFileSync(`${directory}/cpu.cfs_period_us`, String(PERIOD_US));
      writeFileSync(`${directory}/cpu.cfs_quota_us`, String(quotaUs));
    }
    const shell = 'echo $$ > "$0/cgroup.procs" && exec "$@"';
    return { ...LOOPBACK, prefix: ['sh', '-c', shell, directory] };
  }

  [Symbol.dispose](): void {
    for (const directory of this.#directories) rmdirSync(directory);
  }
}

function rootOfGroups(): string | undefined {
  if (existsSync(`${V1}/cpu.cfs_quota_us`) || existsSync(`${V1}/cpu.shares`)) return V1;
  const controllers = `${V2}/cgroup.subtree_control`;
  return existsSync(controllers) && readFileSync(controllers, 'utf8').includes('cpu') ? V2 : undefined;
}
