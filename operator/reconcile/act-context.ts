import type { Random } from '../../store/ports/random.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import type { StoreView } from '../store-view/store-view.ts';
import type { AppliedForms } from './applied-forms.ts';
import type { Seen } from './observe.ts';

/** What an act works with: the live view that it follows from, and the two that it changes. */
export type ActContext = {
  readonly seen: Seen;
  readonly client: KubeClient;
  readonly store: StoreView;
  readonly applied: AppliedForms;
  /** A secure source. */
  readonly random: Random;
  readonly signal: AbortSignal;
};

/** The kube error and the store's refusal are told apart from failures by who runs the act (run-act.ts). */
export type Perform<A> = (context: ActContext, act: A) => Promise<void>;
