/**
 * One record cut out of the input. The text is latin1: one character is one byte, so that offsets are bytes and
 * nothing is decoded before a record is known to be whole (decodeUtf8 does it then).
 */
export type Frame =
  | { readonly type: 'cells'; readonly cells: readonly string[]; readonly next: number }
  | { readonly type: 'text'; readonly text: string; readonly next: number }
  | { readonly type: 'bad'; readonly reason: string; readonly next: number }
  | { readonly type: 'blank'; readonly next: number };

/** Cuts the record that begins at `from`; undefined asks for more input, which never happens once `isEnd`. */
export type Framer = (text: string, from: number, isEnd: boolean) => Frame | undefined;

export type LineFrame = { readonly line: number; readonly frame: Frame };

/** A record that is longer than this is bad; the server takes values to 8 MiB. */
export const RECORD_BYTES_MAX = 16 * 1024 * 1024;

const BYTE_ORDER_MARK = '\u00ef\u00bb\u00bf';

/** Feeds chunks to a framer and numbers what it cuts by the line on which it begins (from 1). */
export async function* readFrames(
  chunks: AsyncIterable<Uint8Array>,
  framer: Framer,
): AsyncGenerator<readonly LineFrame[]> {
  const state: CutState = { text: '', line: 1, isFirst: true, isSkipping: false };
  for await (const chunk of chunks) {
    state.text += Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1');
    if (state.isFirst && state.text.length < BYTE_ORDER_MARK.length) continue;
    yield cutAll(state, framer, false);
  }
  yield cutAll(state, framer, true);
}

/** `isSkipping`: the rest of a bad record's line has not come yet, and is not looked at. */
type CutState = { text: string; line: number; isFirst: boolean; isSkipping: boolean };

function cutAll(state: CutState, framer: Framer, isEnd: boolean): LineFrame[] {
  const frames: LineFrame[] = [];
  let from = state.isFirst && state.text.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0;
  state.isFirst = false;
  while (from < state.text.length) {
    const frame = state.isSkipping
      ? ({ type: 'blank', next: nextLine(state.text, from) } as const)
      : (framer(state.text, from, isEnd) ?? oversize(state.text, from));
    if (frame === undefined) break;
    state.isSkipping = (state.isSkipping || frame.type === 'bad') && state.text[frame.next - 1] !== '\n';
    if (frame.type !== 'blank') frames.push({ line: state.line, frame });
    state.line += countNewlines(state.text, from, frame.next);
    from = frame.next;
  }
  state.text = state.text.slice(from);
  return frames;
}

/** Gives up on a record that has not ended within the limit: its first line is bad, the next line is tried anew. */
function oversize(text: string, from: number): Frame | undefined {
  if (text.length - from <= RECORD_BYTES_MAX) return undefined;
  const reason = `no end of the record within ${RECORD_BYTES_MAX} bytes`;
  return { type: 'bad', reason, next: nextLine(text, from) };
}

/** The offset behind the line that contains `from`. */
export function nextLine(text: string, from: number): number {
  const newline = text.indexOf('\n', from);
  return newline === -1 ? text.length : newline + 1;
}

function countNewlines(text: string, from: number, to: number): number {
  let count = 0;
  for (let at = text.indexOf('\n', from); at !== -1 && at < to; at = text.indexOf('\n', at + 1)) count += 1;
  return count;
}
