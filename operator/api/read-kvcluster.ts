import type { z } from 'zod';
import {
  API_VERSION,
  clusterSpec,
  KIND,
  type KVCluster,
  type KVClusterMetadata,
  type KVClusterStatus,
} from './kvcluster.ts';
import { clusterStatus } from './kvcluster-status.ts';

/** An object as the API server gives it. */
export type UntypedCluster = {
  readonly metadata: KVClusterMetadata;
  readonly spec?: unknown;
  readonly status?: unknown;
};

export type ReadCluster =
  | { readonly type: 'read'; readonly cluster: KVCluster }
  /** Written under a CRD of another version, for the API server refuses what this one does. Each problem is a line for people. */
  | { readonly type: 'invalid'; readonly problems: readonly string[]; readonly status: KVClusterStatus };

/** With all defaults. What is wrong with the specification is returned, so that it can be told in the status. */
export function readKVCluster({ metadata, spec, status }: UntypedCluster): ReadCluster {
  const parsed = clusterSpec.safeParse(spec ?? {});
  const seen = readStatus(status);
  if (!parsed.success) {
    return { type: 'invalid', problems: parsed.error.issues.map(problemOf), status: seen };
  }
  const cluster: KVCluster = {
    apiVersion: API_VERSION,
    kind: KIND,
    metadata,
    spec: parsed.data,
    status: seen,
  };
  return { type: 'read', cluster };
}

function problemOf({ path, message }: z.core.$ZodIssue): string {
  return `${['spec', ...path].join('.')}: ${message}`;
}

/** A status is derived anew, but for the id of the cluster: whatever else another version has written there, that one is kept. */
function readStatus(status: unknown): KVClusterStatus {
  const whole = clusterStatus.safeParse(status ?? {});
  if (whole.success) return whole.data;
  const id = clusterStatus.pick({ clusterId: true }).safeParse(status);
  return id.success ? id.data : {};
}
