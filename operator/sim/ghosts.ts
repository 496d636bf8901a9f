import type { Pod } from '../kube/resources.ts';
import { pods } from '../kube/resources.ts';
import type { SimApi } from './api.ts';
import { require } from './checks.ts';
import type { SimNodes } from './nodes.ts';

/** Processes whose pods are gone and that nobody has ended: they run on where nobody reaches them. Nobody starts another one of that name. */
export class Ghosts {
  /** By namespace and name: the node. */
  readonly #nodes = new Map<string, string>();

  constructor({ api, nodes }: { readonly api: SimApi; readonly nodes: SimNodes }) {
    nodes.onTurn((name, state) => {
      if (state === 'cut') return;
      for (const [pod, node] of this.#nodes) if (node === name) this.#nodes.delete(pod);
    });
    api.onChange(({ type, resource, object }) => {
      if (resource.kind !== pods.kind || !runs(object as Pod)) return;
      const { metadata, spec } = object as Pod;
      const name = `${metadata.namespace}/${metadata.name}`;
      if (type !== 'DELETED') {
        const node = this.#nodes.get(name);
        require('of each member one process runs', node === undefined, () =>
          `${name} runs on ${spec?.nodeName}, and on ${node}, which nobody reaches`);
      } else if (nodes.stateOf(spec?.nodeName) === 'cut') this.#nodes.set(name, spec?.nodeName ?? '');
    });
  }
}

function runs({ status }: Pod): boolean {
  return status?.containerStatuses?.[0]?.state?.running !== undefined;
}
