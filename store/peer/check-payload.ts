import { ProtocolError } from './frame.ts';
import { DEPTH_MAX } from './limits.ts';

/**
 * Walks a MessagePack payload without making anything of it, and throws ProtocolError unless it is exactly one value
 * of nil, booleans, numbers, text, bytes, lists and maps. It runs before the library, which would otherwise act on
 * what a stranger sends: extensions that build records with generated code, patterns, dates, references, or lists
 * that say they are longer than the payload; and it bounds the depth, since the library recurses.
 */
export function checkPayload(payload: Uint8Array): void {
  const end = checkValue(payload, 0, 0);
  if (end !== payload.length)
    throw new ProtocolError(`${payload.length - end} bytes after the payload's end`);
}

function checkValue(bytes: Uint8Array, at: number, depth: number): number {
  if (at >= bytes.length) throw truncated();
  const token = bytes[at] as number;
  if (token < 0x80 || token >= 0xe0) return at + 1;
  if (token < 0x90) return checkEntries(bytes, at + 1, token & 0x0f, depth);
  if (token < 0xa0) return checkItems(bytes, at + 1, token & 0x0f, depth);
  if (token < 0xc0) return skip(bytes, at + 1, token & 0x1f);
  return checkLong(bytes, at, token, depth);
}

function checkLong(bytes: Uint8Array, at: number, token: number, depth: number): number {
  switch (token) {
    case 0xc0: // nil
    case 0xc2: // false
    case 0xc3: // true
      return at + 1;
    case 0xc4: // bytes
    case 0xc5:
    case 0xc6:
      return skipSized(bytes, at + 1, 1 << (token - 0xc4));
    case 0xca: // numbers
      return skip(bytes, at + 1, 4);
    case 0xcb:
      return skip(bytes, at + 1, 8);
    case 0xcc:
    case 0xcd:
    case 0xce:
    case 0xcf:
      return skip(bytes, at + 1, 1 << (token - 0xcc));
    case 0xd0:
    case 0xd1:
    case 0xd2:
    case 0xd3:
      return skip(bytes, at + 1, 1 << (token - 0xd0));
    case 0xd9: // text
    case 0xda:
    case 0xdb:
      return skipSized(bytes, at + 1, 1 << (token - 0xd9));
    case 0xdc: // lists
    case 0xdd: {
      const width = token === 0xdc ? 2 : 4;
      return checkItems(bytes, at + 1 + width, readSize(bytes, at + 1, width), depth);
    }
    case 0xde: // maps
    case 0xdf: {
      const width = token === 0xde ? 2 : 4;
      return checkEntries(bytes, at + 1 + width, readSize(bytes, at + 1, width), depth);
    }
    default:
      throw new ProtocolError(
        `the payload has a value of a type that is not allowed (0x${token.toString(16)})`,
      );
  }
}

function checkItems(bytes: Uint8Array, at: number, count: number, depth: number): number {
  if (depth >= DEPTH_MAX) throw new ProtocolError(`the payload is nested deeper than ${DEPTH_MAX}`);
  if (count > bytes.length - at) throw truncated();
  let next = at;
  for (let item = 0; item < count; item++) next = checkValue(bytes, next, depth + 1);
  return next;
}

/** The keys of a map are texts: all of ours are, and the library refuses others itself. */
function checkEntries(bytes: Uint8Array, at: number, count: number, depth: number): number {
  if (depth >= DEPTH_MAX) throw new ProtocolError(`the payload is nested deeper than ${DEPTH_MAX}`);
  if (2 * count > bytes.length - at) throw truncated();
  let next = at;
  for (let entry = 0; entry < count; entry++) {
    if (!isText(bytes[next])) throw new ProtocolError('the payload has a map with a key that is no text');
    next = checkValue(bytes, checkValue(bytes, next, depth + 1), depth + 1);
  }
  return next;
}

function isText(token: number | undefined): boolean {
  return token !== undefined && ((token >= 0xa0 && token < 0xc0) || (token >= 0xd9 && token <= 0xdb));
}

function skipSized(bytes: Uint8Array, at: number, width: number): number {
  return skip(bytes, at + width, readSize(bytes, at, width));
}

function skip(bytes: Uint8Array, at: number, length: number): number {
  if (length > bytes.length - at) throw truncated();
  return at + length;
}

function readSize(bytes: Uint8Array, at: number, width: number): number {
  if (width > bytes.length - at) throw truncated();
  let size = 0;
  for (let place = 0; place < width; place++) size = size * 256 + (bytes[at + place] as number);
  return size;
}

function truncated(): ProtocolError {
  return new ProtocolError('the payload ends before it should');
}
