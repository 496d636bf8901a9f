import type { CpuProfile } from './inspector.ts';

/** A function, where it was called from, and for how long it ran there: itself and all that it called. */
export type Frame = {
  readonly name: string;
  readonly place: string;
  totalMs: number;
  selfMs: number;
  readonly children: Map<string, Frame>;
};

const WIDTH = 1600;
const ROW_HEIGHT = 17;
const HEAD_HEIGHT = 44;
/** Narrower frames are left out. */
const FRAME_WIDTH_MIN = 1;
const LETTER_WIDTH = 6.2;
const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** The call tree of a profile, without the time in which the thread had nothing to do. */
export function callTree(profile: CpuProfile): Frame {
  const byId = new Map(profile.nodes.map((node) => [node.id, node]));
  const ownMs = new Map<number, number>();
  for (const [i, id] of profile.samples.entries())
    ownMs.set(id, (ownMs.get(id) ?? 0) + (profile.timeDeltas[i] as number) / 1000);
  const root: Frame = newFrame('all that ran', '');
  const visit = (id: number, parent: Frame): void => {
    const node = byId.get(id);
    if (node === undefined || node.callFrame.functionName === '(idle)') return;
    const { functionName, url, lineNumber } = node.callFrame;
    const place = url === '' ? '' : `${shortened(url)}:${lineNumber + 1}`;
    const isRoot = functionName === '(root)';
    const frame = isRoot ? parent : childOf(parent, functionName || '(anonymous)', place);
    frame.selfMs += ownMs.get(id) ?? 0;
    for (const child of node.children ?? []) visit(child, frame);
  };
  visit((profile.nodes[0] as { readonly id: number }).id, root);
  sumUp(root);
  return root;
}

/** The tree as a picture, callers above what they call; a frame says its name, place and share where the pointer rests. */
export function toSvg(root: Frame, title: string): string {
  const rows: string[] = [];
  let depthMax = 0;
  const draw = (frame: Frame, x: number, depth: number): void => {
    const width = (frame.totalMs / root.totalMs) * WIDTH;
    if (width < FRAME_WIDTH_MIN) return;
    depthMax = Math.max(depthMax, depth);
    rows.push(rectangle(frame, root, { x, width, y: HEAD_HEIGHT + depth * ROW_HEIGHT }));
    let at = x;
    for (const child of [...frame.children.values()].sort((a, b) => b.totalMs - a.totalMs)) {
      draw(child, at, depth + 1);
      at += (child.totalMs / root.totalMs) * WIDTH;
    }
  };
  draw(root, 0, 0);
  const height = HEAD_HEIGHT + (depthMax + 1) * ROW_HEIGHT + 8;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="monospace" font-size="10" role="img" aria-label="${escaped(title)}">`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    `<text x="8" y="18" font-size="14">${escaped(title)}</text>`,
    `<text x="8" y="34" fill="#555">width: share of the time in which the thread ran; orange: this project, blue: node and packages, grey: native</text>`,
    ...rows,
    '</svg>\n',
  ].join('\n');
}

/** The functions that took most time themselves, wherever they were called from. */
export function hottest(
  root: Frame,
  count: number,
): readonly { readonly what: string; readonly share: number }[] {
  const selfMs = new Map<string, number>();
  const visit = (frame: Frame): void => {
    const what = frame.place === '' ? frame.name : `${frame.name} ${frame.place}`;
    selfMs.set(what, (selfMs.get(what) ?? 0) + frame.selfMs);
    for (const child of frame.children.values()) visit(child);
  };
  visit(root);
  const sorted = [...selfMs].sort(([, a], [, b]) => b - a).slice(0, count);
  return sorted.map(([what, ms]) => ({ what, share: ms / root.totalMs }));
}

function newFrame(name: string, place: string): Frame {
  return { name, place, totalMs: 0, selfMs: 0, children: new Map() };
}

function childOf(parent: Frame, name: string, place: string): Frame {
  const key = `${name} ${place}`;
  const known = parent.children.get(key);
  if (known !== undefined) return known;
  const frame = newFrame(name, place);
  parent.children.set(key, frame);
  return frame;
}

function sumUp(frame: Frame): number {
  frame.totalMs = frame.selfMs;
  for (const child of frame.children.values()) frame.totalMs += sumUp(child);
  return frame.totalMs;
}

type Box = { readonly x: number; readonly y: number; readonly width: number };

function rectangle(frame: Frame, root: Frame, { x, y, width }: Box): string {
  const share = ((100 * frame.totalMs) / root.totalMs).toFixed(1);
  const label = escaped(frame.name.slice(0, Math.max(0, Math.floor((width - 4) / LETTER_WIDTH))));
  return (
    `<g><title>${escaped(`${frame.name} ${frame.place}`)} ${share} %</title>` +
    `<rect x="${x.toFixed(1)}" y="${y}" width="${Math.max(0.5, width - 0.5).toFixed(1)}" height="${ROW_HEIGHT - 1}" fill="${colourOf(frame)}"/>` +
    `<text x="${(x + 2).toFixed(1)}" y="${y + 12}">${label}</text></g>`
  );
}

function colourOf({ name, place }: Frame): string {
  if (place === '' || name.startsWith('(')) return '#d0d0d0';
  return place.startsWith('node:') || place.startsWith('node_modules/') ? '#a9c8e8' : '#f5b878';
}

/** From the project's folder on; a package's from its name on. */
function shortened(url: string): string {
  const inPackage = url.lastIndexOf('node_modules/');
  if (inPackage >= 0) return url.slice(inPackage);
  const root = `file://${process.cwd()}/`;
  return url.startsWith(root) ? url.slice(root.length) : url;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ESCAPES[character] as string);
}
