/** The metrics of the operator that alerts and dashboard ask for, as operator/metrics.ts registers them. */
export const OPERATOR_METRICS: readonly string[] = [
  'kvorum_operator_is_leader',
  'kvorum_operator_reconciles_total',
  'kvorum_operator_reconcile_errors_total',
  'kvorum_operator_reconcile_duration_seconds_bucket',
  'kvorum_operator_longest_reconcile_seconds',
  'kvorum_operator_queue_depth',
  'kvorum_operator_queue_delayed',
  'kvorum_operator_api_requests_total',
];
