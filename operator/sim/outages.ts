import type { Prng } from '../../store/core/prng/prng.ts';
import { pods } from '../kube/resources.ts';
import type { SimCluster } from './cluster.ts';
import type { SimNodes } from './nodes.ts';

export type OutagesDeps = {
  readonly nodes: SimNodes;
  readonly clusters: readonly SimCluster[];
  readonly prng: Prng;
  readonly after: (delayMs: number, what: () => void) => { cancel(): void };
};

const SILENT_MS = 8 * 60_000;
const NEW_MS = 60_000;
const BACK_MS = 10 * 60_000;

/** Machines that fall silent, as far as every store survives it: they come back, or are taken away, with what is on their disks or without. */
export class Outages {
  readonly #deps: OutagesDeps;
  /** Those that are silent, and what becomes of each. */
  readonly #ends = new Map<string, () => void>();
  /** Those that were taken away, and may come back with their disks. */
  readonly #away = new Set<string>();

  constructor(deps: OutagesDeps) {
    this.#deps = deps;
  }

  act(): void {
    const { nodes, clusters, prng, after } = this.#deps;
    const names = [...nodes.machines.keys()].filter((name) => nodes.stateOf(name) === 'up');
    const name = names[prng.below(names.length)];
    if (name === undefined || !clusters.every(({ user }) => user.survives(name))) return;
    nodes.silence(name, prng.below(2) === 0 ? 'cut' : 'dead');
    const doesGo = prng.below(2) === 0;
    const end = (): void => {
      if (this.#ends.get(name) !== end) return;
      this.#ends.delete(name);
      if (doesGo) this.#take(name);
      else nodes.bringBack(name);
    };
    this.#ends.set(name, end);
    after(prng.below(SILENT_MS), end);
  }

  /** For good, under a member of this KVCluster, where all survive it; false where none is. */
  takeOneOf({ kubelets }: SimCluster): boolean {
    const { nodes, clusters, after } = this.#deps;
    const all = kubelets.own(pods).map(({ spec }) => spec?.nodeName ?? '');
    const name = all.find(
      (each) => nodes.machines.has(each) && clusters.every(({ user }) => user.survives(each)),
    );
    if (name === undefined) return false;
    nodes.remove(name);
    after(NEW_MS, () => nodes.add());
    return true;
  }

  #take(name: string): void {
    const { nodes, prng, after } = this.#deps;
    nodes.remove(name);
    after(prng.below(NEW_MS), () => nodes.add());
    if (prng.below(3) > 0) return;
    this.#away.add(name);
    after(prng.below(BACK_MS), () => this.#return(name));
  }

  #return(name: string): void {
    if (this.#away.delete(name)) this.#deps.nodes.bringBack(name);
  }

  /** Nobody is silent any more, and nobody comes back later. */
  comeToRest(): void {
    for (const end of [...this.#ends.values()]) end();
    for (const name of [...this.#away]) this.#return(name);
  }
}
