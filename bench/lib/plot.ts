/** A line of a panel: its value at each size of the cluster. */
export type Series = { readonly label: string; readonly tone: number; readonly values: readonly number[] };
export type Panel = { readonly title: string; readonly max: number; readonly series: readonly Series[] };

const WIDTH = 800;
const HEIGHT = 340;
const PLOT = { top: 54, height: 230, width: 230, lefts: [48, 448] };
/** Labels of lines keep this distance. */
const LABEL_GAP = 15;

const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #333; }
  .title { font-weight: 600; }
  .page { fill: #fff; }
  .grid { stroke: #ddd; }
  .line { fill: none; stroke-width: 2; }
  .tone0 { stroke: #0b62a8; } .dot0, .label0 { fill: #0b62a8; }
  .tone1 { stroke: #b3420a; } .dot1, .label1 { fill: #b3420a; }
  .tone2 { stroke: #1f7a3a; } .dot2, .label2 { fill: #1f7a3a; }
  .tone3 { stroke: #7a4aa8; } .dot3, .label3 { fill: #7a4aa8; }
  @media (prefers-color-scheme: dark) {
    text { fill: #ccc; } .page { fill: #16181d; } .grid { stroke: #363a42; }
    .tone0 { stroke: #6db3f2; } .dot0, .label0 { fill: #6db3f2; }
    .tone1 { stroke: #f0965a; } .dot1, .label1 { fill: #f0965a; }
    .tone2 { stroke: #6fcf8d; } .dot2, .label2 { fill: #6fcf8d; }
    .tone3 { stroke: #c3a0ea; } .dot3, .label3 { fill: #c3a0ea; }
  }`;

export type PlotText = { readonly label: string; readonly axis: string };

/** An SVG of panels side by side over sizes, on a logarithmic axis. */
export function drawPlot(
  sizes: readonly number[],
  panels: readonly Panel[],
  { label, axis }: PlotText,
): string {
  const drawn = panels.map((panel, i) => drawPanel(sizes, panel, PLOT.lefts[i] ?? 0, axis));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${label}">
<style>${STYLE}
</style>
<rect class="page" width="${WIDTH}" height="${HEIGHT}"/>
${drawn.join('\n')}
</svg>
`;
}

function drawPanel(
  sizes: readonly number[],
  { title, max, series }: Panel,
  left: number,
  axis: string,
): string {
  const first = Math.log(sizes[0] ?? 1);
  const span = Math.log(sizes.at(-1) ?? 1) - first;
  const x = (size: number): number => Math.round(left + (PLOT.width * (Math.log(size) - first)) / span);
  const y = (value: number): number => Math.round(PLOT.top + PLOT.height * (1 - value / max));
  const bottom = PLOT.top + PLOT.height;
  const steps = [0, 0.25, 0.5, 0.75, 1].map((share) => share * max);
  const labels = placeLabels(series.map(({ values }) => y(values.at(-1) ?? 0)));
  return [
    `<text class="title" x="${left - 24}" y="24">${title}</text>`,
    ...steps.map(
      (step) =>
        `<line class="grid" x1="${left}" x2="${left + PLOT.width}" y1="${y(step)}" y2="${y(step)}"/><text x="${left - 8}" y="${y(step) + 4}" text-anchor="end">${step}</text>`,
    ),
    ...sizes.map(
      (size) =>
        `<text x="${x(size)}" y="${bottom + 20}" text-anchor="middle">${size.toLocaleString('en-US')}</text>`,
    ),
    `<text x="${left + PLOT.width / 2}" y="${bottom + 40}" text-anchor="middle">${axis} (logarithmic)</text>`,
    ...series.map(({ tone, values }) =>
      drawLine(
        tone,
        values.map((value, i) => [x(sizes[i] ?? 1), y(value)]),
      ),
    ),
    ...series.map(
      ({ label, tone }, i) =>
        `<text class="label${tone}" x="${left + PLOT.width + 10}" y="${(labels[i] ?? 0) + 4}">${label}</text>`,
    ),
  ].join('\n');
}

function drawLine(tone: number, points: readonly (readonly number[])[]): string {
  const dots = points.map(([x, y]) => `<circle class="dot${tone}" cx="${x}" cy="${y}" r="3.5"/>`);
  return `<polyline class="line tone${tone}" points="${points.map((point) => point.join(',')).join(' ')}"/>${dots.join('')}`;
}

/** Where labels stand beside the ends of their lines, moved apart from the top down. */
function placeLabels(ends: readonly number[]): number[] {
  const placed = [...ends];
  const topDown = ends.map((_, i) => i).sort((a, b) => (ends[a] ?? 0) - (ends[b] ?? 0));
  let floor = Number.NEGATIVE_INFINITY;
  for (const i of topDown) {
    placed[i] = Math.max(ends[i] ?? 0, floor);
    floor = (placed[i] ?? 0) + LABEL_GAP;
  }
  return placed;
}
