import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { findTool } from '../generate/find-tool.ts';
import { metricNames, unknownMetrics } from '../generate/metrics-page.ts';

/** Each alert in a world where it fires and in one where it does not, by promtool. TEST_REQUIRES_PROMTOOL=1 makes a missing one a failure. */

const found = findTool('promtool', 'PROMTOOL');
const promtool = found ?? 'promtool';
const MISSING =
  "promtool is missing: charts/install-promtool.sh takes it out of Debian's package prometheus, or set PROMTOOL";
const skip = found === undefined && process.env.TEST_REQUIRES_PROMTOOL !== '1' ? MISSING : false;

const RULES = fileURLToPath(new URL('files/alerts.yaml', import.meta.url));
const DOCS = fileURLToPath(new URL('../../docs/', import.meta.url));

type Alert = {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: {
    readonly summary: string;
    readonly description: string;
    readonly runbook_url: string;
  };
};
const alerts = (parse(readFileSync(RULES, 'utf8')) as { groups: { rules: Alert[] }[] }).groups.flatMap(
  ({ rules }) => rules,
);

/** Values of a series in the notation of promtool, by the series without its common labels. */
type Series = Readonly<Record<string, string>>;
type Case = { readonly fires: Series; readonly silent: Series };

/** For two hours, a sample a minute. */
const always = (value: number): string => `${value}+0x120`;
const rising = (step: number): string => `0+${step}x120`;
/** True for less than its alert waits. */
const briefly = (value: number, otherwise: number): string => `${otherwise}+0x58 ${value} ${value}+0x60`;

/** A state of three nodes: what each of them says. */
function quorum(...states: readonly ('ok' | 'degraded' | 'lost')[]): Series {
  const all = states.flatMap((state, node) =>
    ['ok', 'degraded', 'lost', 'none'].map((each) => {
      const series = `kvorum_cluster_quorum{state="${each}",${nodeLabels(node)}}`;
      return [series, always(each === state ? 1 : 0)] as const;
    }),
  );
  return Object.fromEntries(all);
}

/** Which of the pods of the operator acts. */
function leaders(...values: readonly number[]): Series {
  return Object.fromEntries(
    values.map((value, node) => [of('kvorum_operator_is_leader', '', node), always(value)]),
  );
}

const nodeLabels = (node: number): string =>
  `namespace="shop",kvcluster="demo",pod="demo-${node}",instance="10.0.0.${node}:7400"`;
const of = (name: string, labels = '', node = 0): string =>
  `${name}{${labels === '' ? '' : `${labels},`}${nodeLabels(node)}}`;

/** Requests of which `bad` of a hundred go wrong. */
function share(name: string, [good, wrong]: readonly [string, string], bad: number): Series {
  return { [of(name, good)]: rising(60 * (100 - bad)), [of(name, wrong)]: rising(60 * bad) };
}

/** A histogram whose observations are all within `upTo` seconds and above the bound below it. */
function histogram(name: string, bounds: readonly string[], upTo: string): Series {
  const at = bounds.indexOf(upTo);
  return Object.fromEntries(
    bounds.map((bound, index) => [
      of(`${name}_bucket`, `le="${bound}"`),
      index >= at ? rising(600) : always(0),
    ]),
  );
}

const BOUNDS = ['0.01', '0.1', '1', '+Inf'];

const CASES: Readonly<Record<string, Case>> = {
  KvorumQuorumLost: { fires: quorum('lost', 'lost', 'lost'), silent: quorum('lost', 'ok', 'ok') },
  KvorumQuorumDegraded: {
    fires: quorum('degraded', 'degraded', 'lost'),
    silent: quorum('ok', 'ok', 'degraded'),
  },
  KvorumNodeCutOff: { fires: quorum('lost', 'ok', 'ok'), silent: quorum('lost', 'lost', 'lost') },
  KvorumElectionsRepeat: {
    fires: { [of('kvorum_raft_term')]: rising(1) },
    silent: { [of('kvorum_raft_term')]: '3+0x60 5+0x60' },
  },
  KvorumMemberDown: {
    fires: { [of('kvorum_members', 'liveness="dead"')]: always(1) },
    silent: { [of('kvorum_members', 'liveness="dead"')]: briefly(1, 0) },
  },
  KvorumTopologyBehind: {
    fires: {
      [of('kvorum_topology_epoch', '', 0)]: always(17),
      [of('kvorum_topology_epoch', '', 1)]: always(12),
    },
    silent: {
      [of('kvorum_topology_epoch', '', 0)]: always(17),
      [of('kvorum_topology_epoch', '', 1)]: always(17),
    },
  },
  KvorumMovesDelayed: {
    fires: { [of('kvorum_move_delays_total')]: rising(1) },
    silent: { [of('kvorum_move_delays_total')]: always(7) },
  },
  KvorumReplicaOut: {
    fires: { [of('kvorum_replica_out')]: always(1) },
    silent: { [of('kvorum_replica_out')]: always(0) },
  },
  KvorumCorruptRecords: {
    fires: { [of('kvorum_corrupt_records_total')]: '0+0x50 1+0x70' },
    silent: { [of('kvorum_corrupt_records_total')]: always(4) },
  },
  KvorumStorageErrors: {
    fires: { [of('kvorum_storage_engine_errors_total', 'kind="io"')]: '0+0x55 1+0x65' },
    silent: { [of('kvorum_storage_engine_errors_total', 'kind="io"')]: always(1) },
  },
  KvorumStorageFull: {
    fires: { [of('kvorum_http_requests_total', 'code="507"')]: rising(1) },
    silent: { [of('kvorum_http_requests_total', 'code="204"')]: rising(1) },
  },
  KvorumHintsDropped: {
    fires: { [of('kvorum_hints_dropped_total', 'reason="bytes-limit"')]: rising(5) },
    silent: { [of('kvorum_hints_dropped_total', 'reason="age"')]: rising(5) },
  },
  KvorumReplicasDiffer: {
    fires: {
      [of('kvorum_anti_entropy_partitions')]: always(256),
      [of('kvorum_anti_entropy_equal_partitions')]: always(100),
    },
    silent: {
      [of('kvorum_anti_entropy_partitions')]: always(0),
      [of('kvorum_anti_entropy_equal_partitions')]: always(0),
    },
  },
  KvorumWritesFail: {
    fires: share('kvorum_writes_total', ['outcome="acknowledged"', 'outcome="unknown"'], 2),
    silent: share('kvorum_writes_total', ['outcome="acknowledged"', 'outcome="unwritten"'], 0.5),
  },
  KvorumReadsFail: {
    fires: share('kvorum_reads_total', ['outcome="answered"', 'outcome="failed"'], 2),
    silent: share('kvorum_reads_total', ['outcome="answered"', 'outcome="failed"'], 0.5),
  },
  KvorumServerErrors: {
    fires: share('kvorum_http_requests_total', ['code="200"', 'code="503"'], 10),
    silent: share('kvorum_http_requests_total', ['code="200"', 'code="404"'], 50),
  },
  KvorumWritesSlow: {
    fires: histogram('kvorum_write_duration_seconds', BOUNDS, '1'),
    silent: histogram('kvorum_write_duration_seconds', BOUNDS, '0.1'),
  },
  KvorumSlowDisk: {
    fires: histogram('kvorum_storage_fsync_duration_seconds', BOUNDS, '1'),
    silent: histogram('kvorum_storage_fsync_duration_seconds', BOUNDS, '0.1'),
  },
  KvorumEventLoopBlocked: {
    fires: { [of('kvorum_nodejs_eventloop_lag_p99_seconds')]: always(0.5) },
    silent: { [of('kvorum_nodejs_eventloop_lag_p99_seconds')]: briefly(0.5, 0.01) },
  },
  KvorumPeerMessagesDropped: {
    fires: { [of('kvorum_peer_dropped_messages_total')]: rising(10) },
    silent: { [of('kvorum_peer_dropped_messages_total')]: always(10) },
  },
  KvorumFileDescriptorsLow: {
    fires: { [of('kvorum_process_open_fds')]: always(900), [of('kvorum_process_max_fds')]: always(1000) },
    silent: { [of('kvorum_process_open_fds')]: always(100), [of('kvorum_process_max_fds')]: always(1000) },
  },
  KvorumSettingsRefused: {
    fires: { [of('kvorum_config_file_stale')]: always(1) },
    silent: { [of('kvorum_config_file_stale')]: briefly(1, 0) },
  },
  KvorumOperatorIdle: { fires: leaders(0, 0), silent: leaders(0, 1) },
  KvorumOperatorTwoLeaders: { fires: leaders(1, 1), silent: leaders(1, 0) },
  KvorumOperatorReconcilesFail: {
    fires: { [of('kvorum_operator_reconcile_errors_total')]: rising(1) },
    silent: { [of('kvorum_operator_reconcile_errors_total')]: '0+0x50 3+0x70' },
  },
  KvorumOperatorStuck: {
    fires: { [of('kvorum_operator_longest_reconcile_seconds')]: '0+0x40 400+60x80' },
    silent: { [of('kvorum_operator_longest_reconcile_seconds')]: always(20) },
  },
  KvorumOperatorForbidden: {
    fires: { [of('kvorum_operator_api_requests_total', 'verb="patch",code="403"')]: rising(1) },
    silent: { [of('kvorum_operator_api_requests_total', 'verb="patch",code="409"')]: rising(1) },
  },
};

/** A world for promtool: at the end of an hour `name` fires, or does not. */
function world(series: Series, name: string, fires: boolean): object {
  const firing = [{ labels: `{alertname="${name}"}`, value: 1 }];
  const expr = `max by (alertname) (ALERTS{alertname="${name}",alertstate="firing"})`;
  return {
    interval: '1m',
    name: `${name} ${fires ? 'fires' : 'is silent'}`,
    input_series: Object.entries(series).map(([each, values]) => ({ series: each, values })),
    promql_expr_test: [{ expr, eval_time: '60m', exp_samples: fires ? firing : [] }],
  };
}

function promtoolSays(args: readonly string[]): string {
  try {
    return execFileSync(promtool, args, { encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${stdout}${stderr}`);
  }
}

test('the rules are valid', { skip }, () => {
  assert.match(promtoolSays(['check', 'rules', RULES]), new RegExp(`SUCCESS: ${alerts.length} rules found`));
});

test('each alert fires where it should, and is silent where it should be', { skip }, () => {
  const tests = Object.entries(CASES).flatMap(([name, { fires, silent }]) => [
    world(fires, name, true),
    world(silent, name, false),
  ]);
  const folder = mkdtempSync(join(tmpdir(), 'kvorum-alerts-'));
  try {
    const file = join(folder, 'tests.yaml');
    writeFileSync(file, JSON.stringify({ rule_files: [RULES], evaluation_interval: '1m', tests }));
    assert.match(promtoolSays(['test', 'rules', file]), /SUCCESS/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('each alert has a case', () => {
  assert.deepEqual(
    Object.keys(CASES),
    alerts.map(({ alert }) => alert),
  );
});

test('alerts ask for metrics that there are', () => {
  const known = metricNames(readFileSync(`${DOCS}metrics.md`, 'utf8'));
  for (const { alert, expr } of alerts) assert.deepEqual(unknownMetrics(expr, known), [], alert);
  assert.deepEqual(unknownMetrics('rate(kvorum_no_such_total[5m])', known), ['kvorum_no_such_total']);
});

test('alerts say how bad it is, what to do, and where that is written', () => {
  for (const { alert, labels, annotations } of alerts) {
    assert.match(labels.severity, /^(critical|warning|info)$/, alert);
    assert.match(annotations.description, /\. [A-Z`]/, `${alert}: a second sentence says what to do`);
    const [, page = '', anchor] = /docs\/([a-z-]+\.md)(?:#(.+))?$/.exec(annotations.runbook_url) ?? [];
    const anchors =
      readFileSync(`${DOCS}${page}`, 'utf8')
        .match(/^#+ .*$/gm)
        ?.map(anchorOf) ?? [];
    if (anchor !== undefined) assert.ok(anchors.includes(anchor), `${alert}: ${page} has no #${anchor}`);
  }
});

/** As GitHub makes it of a heading. */
function anchorOf(heading: string): string {
  return heading
    .replace(/^#+ /, '')
    .toLowerCase()
    .replace(/[^a-z0-9 -]/g, '')
    .replaceAll(' ', '-');
}
