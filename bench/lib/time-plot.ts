import type { Window } from './foreground.ts';
import type { Seen } from './move-watch.ts';

const WIDTH = 800;
const HEIGHT = 520;
const LEFT = 64;
const PLOT_WIDTH = 700;
const PANEL_HEIGHT = 110;
const TOPS = [48, 204, 360];

const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #333; }
  .title { font-weight: 600; }
  .page { fill: #fff; }
  .grid { stroke: #ddd; }
  .line { fill: none; stroke-width: 2; }
  .tone0 { stroke: #0b62a8; } .tone1 { stroke: #b3420a; }
  .joint { fill: #0b62a8; } .transfer { fill: #b3420a; } .switch { fill: #1f7a3a; }
  .moving { fill: #0b62a8; opacity: .08; }
  @media (prefers-color-scheme: dark) {
    text { fill: #ccc; } .page { fill: #16181d; } .grid { stroke: #363a42; }
    .tone0 { stroke: #6db3f2; } .tone1 { stroke: #f0965a; }
    .joint { fill: #6db3f2; } .transfer { fill: #f0965a; } .switch { fill: #6fcf8d; }
    .moving { fill: #6db3f2; opacity: .12; }
  }`;

const TITLE =
  'Throughput and p99 of clients while a fourth node takes its share, with the stages of the moves';

/** An SVG of a load over time, and of how many partitions were in which stage. The time is that of the load. */
export function drawTimes(windows: readonly Window[], startedAtMs: number, seen: readonly Seen[]): string {
  const endMs = windows.at(-1)?.atMs ?? 1;
  const x = (atMs: number): number => Math.round((LEFT + (PLOT_WIDTH * atMs) / endMs) * 10) / 10;
  const atOf = ({ atMs }: Seen): number => atMs - startedAtMs;
  const [first, last] = [seen[0], seen.at(-1)];
  const moving =
    first === undefined || last === undefined
      ? ''
      : `<rect class="moving" x="${x(atOf(first))}" y="${TOPS[0]}" width="${x(atOf(last)) - x(atOf(first))}" height="${(TOPS[2] as number) + PANEL_HEIGHT - (TOPS[0] as number)}"/>`;
  const line = (pick: (window: Window) => number): readonly (readonly number[])[] =>
    windows.slice(0, -1).map((window) => [x(window.atMs), pick(window)]);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="title">
<title id="title">${TITLE}</title>
<style>${STYLE}
</style>
<rect class="page" width="${WIDTH}" height="${HEIGHT}"/>
${moving}
${drawLine(
  0,
  'Requests a second',
  line(({ perSecond }) => perSecond),
)}
${drawLine(
  1,
  'p99, ms',
  line(({ p99Ms }) => p99Ms),
)}
${drawStages(seen.map((each) => ({ ...each, atMs: x(atOf(each)) })))}
${timeAxis(endMs, x)}
</svg>
`;
}

function drawLine(panel: 0 | 1, title: string, points: readonly (readonly number[])[]): string {
  const top = TOPS[panel] as number;
  const max = ceiling(Math.max(...points.map(([, value]) => value as number)));
  const y = (value: number): number => Math.round((top + PANEL_HEIGHT * (1 - value / max)) * 10) / 10;
  const drawn = points.map(([at, value]) => `${at},${y(value as number)}`).join(' ');
  return `${frame(top, title, max)}
<polyline class="line tone${panel}" points="${drawn}"/>`;
}

/** One above the other; `atMs` is already where it is drawn. */
function drawStages(seen: readonly Seen[]): string {
  const top = TOPS[2] as number;
  const max = ceiling(Math.max(1, ...seen.map((each) => each.joint + each.transfer + each.switch)));
  const height = (count: number): number => Math.round(((PANEL_HEIGHT * count) / max) * 10) / 10;
  const bars = seen.flatMap((each, i) => {
    const width = Math.max(0.5, (seen[i + 1]?.atMs ?? each.atMs + 1) - each.atMs);
    let base = top + PANEL_HEIGHT;
    return (['joint', 'transfer', 'switch'] as const).map((stage) => {
      const tall = height(each[stage]);
      base -= tall;
      if (tall === 0) return '';
      return `<rect class="${stage}" x="${each.atMs}" y="${base.toFixed(1)}" width="${width.toFixed(1)}" height="${tall}"/>`;
    });
  });
  const legend = (['joint', 'transfer', 'switch'] as const).map(
    (stage, i) =>
      `<rect class="${stage}" x="${LEFT + 400 + i * 100}" y="${top - 22}" width="10" height="10"/><text x="${LEFT + 416 + i * 100}" y="${top - 13}">${stage}</text>`,
  );
  return [frame(top, 'Partitions that move, by stage', max), ...legend, ...bars.filter(Boolean)].join('\n');
}

function frame(top: number, title: string, max: number): string {
  const steps = [0, 0.5, 1].map((share) => {
    const y = Math.round(top + PANEL_HEIGHT * (1 - share));
    const text = (share * max).toLocaleString('en-US');
    return `<line class="grid" x1="${LEFT}" x2="${LEFT + PLOT_WIDTH}" y1="${y}" y2="${y}"/><text x="${LEFT - 8}" y="${y + 4}" text-anchor="end">${text}</text>`;
  });
  return [`<text class="title" x="${LEFT}" y="${top - 12}">${title}</text>`, ...steps].join('\n');
}

function timeAxis(endMs: number, x: (atMs: number) => number): string {
  const bottom = (TOPS[2] as number) + PANEL_HEIGHT;
  const stepMs = 1000 * ceiling(endMs / 1000 / 8);
  const ticks: string[] = [];
  for (let atMs = 0; atMs <= endMs; atMs += stepMs)
    ticks.push(`<text x="${x(atMs)}" y="${bottom + 18}" text-anchor="middle">${atMs / 1000}</text>`);
  return [
    ...ticks,
    `<text x="${LEFT + PLOT_WIDTH / 2}" y="${bottom + 38}" text-anchor="middle">seconds</text>`,
  ].join('\n');
}

/** The next of 1, 2, 4, 5, 10, 20, ... */
function ceiling(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, value)));
  return power * ([1, 2, 4, 5, 10].find((each) => each * power >= value) ?? 10);
}
