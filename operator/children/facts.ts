/** What children are made of beside the KVCluster itself. */
export type ChildFacts = {
  /** Identity of the store: it is in the status before anything is made. */
  readonly clusterId: string;
  /** Pods that there are to be now: while members leave that is more than the specification says. */
  readonly replicas: number;
  /** Where the operator runs, which must reach the client port. */
  readonly operatorNamespace: string;
  /** What this Kubernetes knows beside its own kinds. */
  readonly apis: { readonly podMonitor: boolean; readonly certificate: boolean };
};
