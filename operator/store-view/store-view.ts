import type { StoreSeen } from '../core/observation.ts';

/** How a KVCluster's store is reached. */
export type StoreTarget = {
  /** `namespace/name`. */
  readonly key: string;
  /** Nodes by their names, those that may answer. */
  readonly nodes: readonly StoreNode[];
  /** What says that this is the store that the KVCluster speaks of. */
  readonly access: StoreAccess;
};

export type StoreNode = { readonly name: string; readonly url: string };

/** Undefined where the store is asked without. */
export type StoreAccess = { readonly token?: string | undefined; readonly ca?: string | undefined };

/** A refusal by the store is StoreRefusal; what else is thrown is a failure, and whether it had an effect nobody knows. */
export class StoreRefusal extends Error {
  override readonly name = 'StoreRefusal';
  /** Such as `TOO_FEW_MEMBERS`. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export type BootstrapCall = {
  readonly node: string;
  readonly clusterId: string;
  readonly replicationFactor: number;
  readonly partitions: number;
};

export type OperationCall =
  | { readonly type: 'drain' | 'replace'; readonly member: string }
  | { readonly type: 'factor'; readonly replicationFactor: number };

/** The store, as the operator speaks with it. Nothing is thrown where nobody answers a look: that is what was seen. */
export type StoreView = {
  look(target: StoreTarget): Promise<StoreSeen>;
  bootstrap(target: StoreTarget, call: BootstrapCall): Promise<void>;
  start(target: StoreTarget, call: OperationCall): Promise<void>;
  cancel(target: StoreTarget, operation: string): Promise<void>;
  /** With a lease, unless `look`: throws StoreRefusal where it may not. */
  askToStop(target: StoreTarget, node: string, options: { readonly isLook: boolean }): Promise<void>;
  setZone(target: StoreTarget, member: string, zone: string): Promise<void>;
  /** The KVCluster is gone. */
  forget(key: string): Promise<void>;
};
