import type { ContenderName, Point } from './peer-points.ts';
import { type PeerRun, pointsOf, valuesOf } from './peer-report.ts';
import { drawPlot, type Panel, type Series } from './plot.ts';
import { median } from './report.ts';

const LINES: readonly { readonly name: ContenderName; readonly label: string }[] = [
  { name: 'kvorum', label: 'Kvorum, RESP' },
  { name: 'etcd', label: 'etcd' },
  { name: 'redis', label: 'Redis, WAIT 1' },
  { name: 'kvorum-http', label: 'Kvorum, HTTP' },
];
const THOUSAND = 1000;

/** Thousands of requests a second over connections, puts beside gets; undefined where there are no two sizes. */
export function plotOf(run: PeerRun, depth: number): string | undefined {
  const points = pointsOf(run).filter(
    (point) => point.depth === depth && !point.isOneKey && point.perSecond === undefined,
  );
  const sizes = [...new Set(points.map(({ clients }) => clients))].toSorted((a, b) => a - b);
  if (sizes.length < 2) return undefined;
  const panels = (['puts', 'gets'] as const).map((kind) =>
    panelOf(
      run,
      kind,
      sizes.flatMap(
        (clients) => points.find((point) => point.kind === kind && point.clients === clients) ?? [],
      ),
    ),
  );
  const many = depth === 1 ? '' : `, ${depth} at once on each`;
  return drawPlot(sizes, panels, {
    label: `Requests a second over connections${many}`,
    axis: `connections${many}`,
  });
}

function panelOf(run: PeerRun, kind: Point['kind'], points: readonly Point[]): Panel {
  const series = LINES.flatMap(({ name, label }, tone): Series[] => {
    const values = points.map((point) => valuesOf(run, name, point, 'perSecond'));
    if (values.length === 0 || values.some((each) => each.length === 0)) return [];
    return [{ label, tone, values: values.map((each) => median(each) / THOUSAND) }];
  });
  const greatest = Math.max(...series.flatMap(({ values }) => values));
  return { title: `${kind} a second, thousands`, max: niceMax(greatest), series };
}

/** The next of 4, 8, 12, 20, 40, ...: a quarter of it is a round number. */
function niceMax(greatest: number): number {
  const power = 10 ** Math.floor(Math.log10(greatest));
  const steps = [1.2, 2, 4, 6, 8, 10, 12];
  return (steps.find((step) => step * power >= greatest) ?? 12) * power;
}
