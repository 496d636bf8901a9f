import { type Panel, ROWS, type Row } from './dashboard-panels.ts';

/** files/dashboard.json, as Grafana 10 and later reads it. */

const COLUMNS = 24;
const HEIGHT = { row: 1, stat: 4, graph: 8 } as const;
const DATASOURCE = { type: 'prometheus', uid: '$datasource' };

type Json = Readonly<Record<string, unknown>>;
type Place = { readonly x: number; readonly y: number };

/** Each query of the dashboard, for a test that asks a Prometheus for it. */
export function dashboardQueries(): readonly { readonly title: string; readonly expr: string }[] {
  return ROWS.flatMap(({ panels }) =>
    panels.flatMap(({ title, queries }) => queries.map(({ expr }) => ({ title, expr }))),
  );
}

export function dashboard(): string {
  const document = {
    uid: 'kvorum',
    title: 'Kvorum',
    description: 'Clusters of Kvorum: whether they are fine, and if not, why',
    tags: ['kvorum'],
    schemaVersion: 39,
    editable: true,
    graphTooltip: 1,
    time: { from: 'now-1h', to: 'now' },
    refresh: '30s',
    templating: { list: variables() },
    panels: withIds(panelsOf(ROWS)),
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function variables(): readonly Json[] {
  const of = (name: string, label: string, query: string): Json => ({
    name,
    label,
    type: 'query',
    datasource: DATASOURCE,
    query: { query, refId: name },
    definition: query,
    includeAll: true,
    multi: true,
    allValue: '.*',
    current: { text: 'All', value: '$__all' },
    refresh: 2,
    sort: 1,
  });
  return [
    { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus' },
    of('namespace', 'Namespace', 'label_values(kvorum_topology_epoch, namespace)'),
    of('kvcluster', 'KVCluster', 'label_values(kvorum_topology_epoch{namespace=~"$namespace"}, kvcluster)'),
    of(
      'pod',
      'Pod',
      'label_values(kvorum_topology_epoch{namespace=~"$namespace",kvcluster=~"$kvcluster"}, pod)',
    ),
  ];
}

/** From left to right, and on to the next line where there is no room. */
function panelsOf(rows: readonly Row[]): readonly Json[] {
  const placed: Json[] = [];
  let y = 0;
  for (const { title, panels } of rows) {
    placed.push({
      type: 'row',
      title,
      gridPos: { x: 0, y, w: COLUMNS, h: HEIGHT.row },
      collapsed: false,
      panels: [],
    });
    y += HEIGHT.row;
    let x = 0;
    for (const panel of panels) {
      if (x + panel.width > COLUMNS) {
        x = 0;
        y += HEIGHT[panel.kind];
      }
      placed.push(panelAt(panel, { x, y }));
      x += panel.width;
    }
    y += HEIGHT[panels.at(-1)?.kind ?? 'row'];
  }
  return placed;
}

function withIds(panels: readonly Json[]): readonly Json[] {
  return panels.map((panel, index) => ({ id: index + 1, ...panel }));
}

function panelAt({ title, description, kind, unit, width, queries }: Panel, place: Place): Json {
  return {
    type: kind === 'stat' ? 'stat' : 'timeseries',
    title,
    description,
    datasource: DATASOURCE,
    gridPos: { ...place, w: width, h: HEIGHT[kind] },
    fieldConfig: { defaults: { unit, ...(kind === 'graph' && { min: 0 }) }, overrides: [] },
    options: kind === 'stat' ? STAT : GRAPH,
    targets: queries.map(({ expr, legend }, index) => ({
      refId: String.fromCharCode('A'.charCodeAt(0) + index),
      datasource: DATASOURCE,
      expr,
      legendFormat: legend,
      instant: kind === 'stat',
      range: kind === 'graph',
    })),
  };
}

const STAT: Json = {
  reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
  colorMode: 'value',
  graphMode: 'none',
};
const GRAPH: Json = {
  legend: { displayMode: 'list', placement: 'bottom', showLegend: true },
  tooltip: { mode: 'multi', sort: 'desc' },
};
