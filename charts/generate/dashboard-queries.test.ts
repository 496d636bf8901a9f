import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Cluster } from '../../e2e/lib/cluster.ts';
import { freePort } from '../../e2e/lib/server-process.ts';
import { TestDirectory } from '../../e2e/lib/test-directory.ts';
import { dashboardQueries } from './dashboard.ts';
import { findTool } from './find-tool.ts';

/** The queries of the dashboard, and the alert rules, in a real Prometheus that scrapes a real cluster of three nodes. */

const prometheus = findTool('prometheus', 'PROMETHEUS');
const MISSING =
  "prometheus is missing: charts/install-promtool.sh takes it out of Debian's package, or set PROMETHEUS";
const skip = prometheus === undefined && process.env.TEST_REQUIRES_PROMTOOL !== '1' ? MISSING : false;
const ALERTS = fileURLToPath(new URL('../kvorum/files/alerts.yaml', import.meta.url));
const DEADLINE_MS = 60_000;
const LOOK_MS = 250;

type Sample = {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
};
type Rule = {
  readonly name: string;
  readonly health: string;
  readonly state: string;
  readonly lastError?: string;
};

/** A Prometheus on a free port, whose data is in `directory`. */
class Prometheus implements AsyncDisposable {
  readonly url: string;
  readonly #process: ChildProcess;

  private constructor(url: string, process: ChildProcess) {
    this.url = url;
    this.#process = process;
  }

  static async start(directory: string, config: object): Promise<Prometheus> {
    const file = `${directory}/prometheus.json`;
    writeFileSync(file, JSON.stringify(config));
    const address = `127.0.0.1:${await freePort()}`;
    const options = [
      `--config.file=${file}`,
      `--storage.tsdb.path=${directory}/tsdb`,
      `--web.listen-address=${address}`,
    ];
    const child = spawn(prometheus as string, [...options, '--log.level=error'], { stdio: 'inherit' });
    return new Prometheus(`http://${address}`, child);
  }

  /** Undefined while it does not answer. */
  async get<T>(path: string): Promise<T | undefined> {
    const response = await fetch(`${this.url}${path}`).catch(() => undefined);
    if (response === undefined || response.status === 503) return undefined; // it starts
    const answer = (await response.json()) as { status: string; data: T; error?: string };
    if (answer.status !== 'success') throw new Error(`${path}: ${answer.error}`);
    return answer.data;
  }

  async query(expr: string): Promise<readonly Sample[]> {
    const data = await this.get<{ result: readonly Sample[] }>(
      `/api/v1/query?query=${encodeURIComponent(expr)}`,
    );
    return data?.result ?? [];
  }

  async rules(): Promise<readonly Rule[]> {
    const data = await this.get<{ groups: readonly { rules: readonly Rule[] }[] }>('/api/v1/rules');
    return data?.groups.flatMap(({ rules }) => rules) ?? [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once('close', resolve));
    this.#process.kill('SIGTERM');
    await ended;
  }
}

/** Scrapes each node each second, with the labels that a PodMonitor gives. */
function scraping(cluster: Cluster): object {
  const targets = cluster.nodes.map(({ url, index }) => ({
    targets: [new URL(url).host],
    labels: { namespace: 'shop', kvcluster: 'demo', pod: `demo-${index - 1}` },
  }));
  return {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: [ALERTS],
    scrape_configs: [{ job_name: 'kvorum', static_configs: targets }],
  };
}

/** As Grafana fills it in where everything is chosen. */
const filled = (expr: string): string =>
  expr.replaceAll('$__rate_interval', '10s').replace(/\$(namespace|kvcluster|pod)\b/g, '.*');

async function writeAndRead(url: string, index: number): Promise<void> {
  await fetch(`${url}/v1/kv/default/key-${index}`, { method: 'PUT', body: 'value' });
  await (await fetch(`${url}/v1/kv/default/key-${index}`)).arrayBuffer();
}

/** Those that still have nothing but gaps to show. */
async function silent(
  server: Prometheus,
  queries: readonly { title: string; expr: string }[],
): Promise<typeof queries> {
  const answers = await Promise.all(
    queries.map(async (query) => {
      const samples = await server.query(filled(query.expr));
      return samples.some(({ value }) => value[1] !== 'NaN') ? [] : [query];
    }),
  );
  return answers.flat();
}

test('each query of the dashboard shows something of a real cluster, and no alert fires of a healthy one', {
  skip,
}, async () => {
  assert.ok(prometheus, MISSING);
  using directory = new TestDirectory();
  await using cluster = await Cluster.start({ directory: directory.path, size: 3 });
  await using server = await Prometheus.start(directory.path, scraping(cluster));

  // The row of the operator has nothing to show: there is none beside this cluster.
  let waiting: ReturnType<typeof dashboardQueries> = dashboardQueries().filter(
    ({ expr }) => !expr.includes('kvorum_operator_'),
  );
  for (let index = 0; waiting.length > 0; index++) {
    assert.ok(
      index * LOOK_MS < DEADLINE_MS,
      `nothing to show: ${waiting.map(({ title, expr }) => `${title}: ${expr}`).join('\n')}`,
    );
    await writeAndRead(cluster.node(1 + (index % 3)).url, index);
    await sleep(LOOK_MS);
    waiting = await silent(server, waiting);
  }

  const rules = await server.rules();
  assert.ok(rules.length >= 20);
  for (const { name, health, state, lastError } of rules)
    assert.deepEqual([health, state, lastError], ['ok', 'inactive', undefined], name);
});
