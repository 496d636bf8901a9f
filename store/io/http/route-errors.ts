// What requests about the cluster have in common, in the OpenAPI document.

export const QUERY_ERRORS = ['UNKNOWN_PARAMETER', 'BAD_PARAMETER'] as const;
export const BODY_ERRORS = [
  'UNKNOWN_PARAMETER',
  'BAD_JSON',
  'BAD_FIELD',
  'UNKNOWN_FIELD',
  'BODY_TOO_LARGE',
] as const;
export const NODE_ERRORS = [
  'OVERLOADED',
  'SHUTTING_DOWN',
  'STORAGE_FAILED',
  'CLUSTER_WAITING',
  'MEMBER_EXCLUDED',
] as const;
export const READ_ERRORS = [...NODE_ERRORS, 'NO_LEADER'] as const;
export const CHANGE_ERRORS = [...READ_ERRORS, 'OUTCOME_UNKNOWN', 'EPOCH_CHANGED'] as const;
export const MEMBER_ERRORS = ['BAD_MEMBER_NAME', 'MEMBER_NOT_FOUND', 'MEMBER_STALE'] as const;
