import type { RetentionPolicy } from '../observation.ts';

/** The name under which operations are asked for: only those are cancelled again. */
export const OPERATOR_NAME = 'kvorum-operator';

/**
 * `can-stop`: the store says yes, and keeps a lease. `pause`: no member of so small a cluster can be missed, so that some requests wait
 * until it is back. `none`: no process of a member is stopped.
 */
export type StopGate = 'can-stop' | 'pause' | 'none';

/** One change of the world. Objects are named with the UID that was seen, so that what came in their place is left alone. */
export type Act =
  /** Without an id one is drawn. */
  | { readonly type: 'record-cluster-id'; readonly clusterId: string | undefined }
  | { readonly type: 'set-finalizer'; readonly isWanted: boolean }
  | { readonly type: 'apply-child'; readonly kind: string; readonly name: string }
  | { readonly type: 'delete-child'; readonly kind: string; readonly name: string }
  | { readonly type: 'apply-stateful-set'; readonly replicas: number }
  /** Deleted without its pods, and made again with the next act. */
  | { readonly type: 'orphan-stateful-set'; readonly uid: string }
  | { readonly type: 'delete-stateful-set'; readonly uid: string }
  | {
      readonly type: 'set-replicas';
      readonly uid: string;
      readonly version: string;
      readonly from: number;
      readonly to: number;
    }
  | { readonly type: 'adopt-claim'; readonly claim: string; readonly uid: string }
  /** With what is to be in kvorum.dev/left; undefined takes it away. */
  | {
      readonly type: 'mark-claim';
      readonly claim: string;
      readonly uid: string;
      readonly left: string | undefined;
    }
  | { readonly type: 'expand-claim'; readonly claim: string; readonly uid: string; readonly bytes: number }
  | { readonly type: 'delete-claim'; readonly claim: string; readonly uid: string; readonly why: ClaimEnd }
  | {
      readonly type: 'restart-pod';
      readonly pod: string;
      readonly uid: string;
      readonly version: string;
      readonly gate: StopGate;
    }
  /** One that no StatefulSet would end. */
  | { readonly type: 'end-pod'; readonly pod: string; readonly uid: string }
  /** At once: the kubelet that would end it is gone. */
  | { readonly type: 'delete-lost-pod'; readonly pod: string; readonly uid: string }
  /** First the claim, which stays as long as the pod, so that the next pod cannot take it; then the pod. */
  | {
      readonly type: 'replace-volume';
      readonly claim: string;
      readonly claimUid: string;
      readonly pod: string;
      readonly podUid: string;
      readonly podVersion: string;
    }
  | {
      readonly type: 'bootstrap';
      readonly node: string;
      readonly clusterId: string;
      readonly replicationFactor: number;
      readonly partitions: number;
    }
  | { readonly type: 'drain'; readonly member: string }
  | { readonly type: 'replace-member'; readonly member: string }
  | { readonly type: 'cancel-drain'; readonly member: string; readonly operation: string }
  | { readonly type: 'change-factor'; readonly replicationFactor: number }
  | { readonly type: 'set-zone'; readonly member: string; readonly zone: string };

export type ActOf<T extends Act['type']> = Extract<Act, { readonly type: T }>;

/** `needed`: a new member comes to this ordinal, and must not find what another one left. */
export type ClaimEnd = 'scaled-down' | 'needed' | 'cluster-deleted';

/** Who asked the act that was refused, and how: such an act is not tried again in the same reconcile. */
export type Refusal = { readonly act: Act; readonly code: string; readonly message: string };

export function isSameAct(a: Act, b: Act): boolean {
  const keys = Object.keys(a) as (keyof Act)[];
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}

export function isKept(policy: RetentionPolicy): boolean {
  return policy === 'Retain';
}
