import type { StoreSeen } from '../core/observation.ts';
import { NoAnswer, type TestStoreView } from '../reconcile/test-store-view.ts';
import {
  type BootstrapCall,
  type OperationCall,
  StoreRefusal,
  type StoreTarget,
  type StoreView,
} from '../store-view/store-view.ts';
import type { Checks } from './checks.ts';
import type { SimCluster } from './cluster.ts';
import type { CallFaults } from './faults.ts';
import type { OperatorProcess } from './operator-process.ts';

export type StoreViewDeps = {
  readonly clusters: readonly SimCluster[];
  readonly faults: CallFaults;
  readonly checks: Checks;
  readonly after: (delayMs: number, what: () => void) => { cancel(): void };
  readonly onBug: (error: unknown) => void;
  readonly process: OperatorProcess;
};

const SILENCE_MS = 2500;
const CALL_TIMEOUT_MS = 5000;
const NOTHING: StoreSeen = { nodes: [], topology: undefined, heard: [] };

/** The store through a network: late, in part, or not at all; and each call may be the operator's last one. */
export class SimStoreView implements StoreView {
  readonly #deps: StoreViewDeps;

  constructor(deps: StoreViewDeps) {
    this.#deps = deps;
  }

  async look(target: StoreTarget): Promise<StoreSeen> {
    const { faults, checks, onBug } = this.#deps;
    const { view, hindrance } = this.#clusterOf(target);
    try {
      checks.speaks(target);
    } catch (error) {
      onBug(error);
    }
    if (hindrance === 'silent') {
      await this.#wait(SILENCE_MS);
      return NOTHING;
    }
    await this.#wait(faults.latencyMs());
    const seen = await view.look(target);
    // What was seen is of a moment ago by the time that it is known.
    if (!faults.isDrawn(2 * faults.rates.losses)) {
      await this.#wait(faults.latencyMs());
      return seen;
    }
    await this.#wait(SILENCE_MS);
    const nodes = seen.nodes.filter(() => faults.isDrawn(500));
    return {
      nodes,
      topology: undefined,
      heard: nodes.some(({ state }) => state === 'member') ? seen.heard : [],
    };
  }

  bootstrap(target: StoreTarget, call: BootstrapCall): Promise<void> {
    const { view, checks } = this.#clusterOf(target);
    return this.#change(target, () => {
      checks.bootstraps(call.clusterId);
      return view.bootstrap(target, call);
    });
  }

  start(target: StoreTarget, call: OperationCall): Promise<void> {
    return this.#change(target, (view) => view.start(target, call));
  }

  cancel(target: StoreTarget, operation: string): Promise<void> {
    return this.#change(target, (view) => view.cancel(target, operation));
  }

  askToStop(target: StoreTarget, node: string, options: { readonly isLook: boolean }): Promise<void> {
    return this.#change(target, (view) => view.askToStop(target, node, options));
  }

  setZone(target: StoreTarget, member: string, zone: string): Promise<void> {
    return this.#change(target, (view) => view.setZone(target, member, zone));
  }

  forget(): Promise<void> {
    return Promise.resolve();
  }

  #clusterOf({ key }: StoreTarget): SimCluster {
    const found = this.#deps.clusters.find((each) => each.key === key);
    if (found === undefined) throw new Error(`there is no KVCluster ${key}`);
    return found;
  }

  async #change(target: StoreTarget, effect: (view: TestStoreView) => Promise<void>): Promise<void> {
    const { faults, process, onBug } = this.#deps;
    const { view, hindrance } = this.#clusterOf(target);
    if (hindrance === 'silent') {
      await this.#wait(CALL_TIMEOUT_MS);
      throw new NoAnswer('the store does not answer');
    }
    const { deaths, losses } = faults.rates;
    if (faults.isDrawn(deaths)) process.die('before it asks the store');
    await this.#wait(faults.latencyMs());
    if (faults.isDrawn(losses)) throw new NoAnswer('the request was lost');
    try {
      view.changes++;
      await effect(view);
    } catch (error) {
      if (!(error instanceof StoreRefusal || error instanceof NoAnswer)) onBug(error);
      throw error;
    }
    if (faults.isDrawn(deaths)) process.die('after it asked the store');
    await this.#wait(faults.latencyMs());
    if (faults.isDrawn(losses)) throw new NoAnswer('the answer was lost');
  }

  /** Who died waits for ever. */
  #wait(delayMs: number): Promise<void> {
    const { after, process } = this.#deps;
    return new Promise((resolve) => void after(delayMs, () => process.deliver(resolve)));
  }
}
