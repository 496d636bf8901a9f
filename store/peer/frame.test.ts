import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { type Frame, HEADER_BYTES, ProtocolError, writeHeader } from './frame.ts';
import { FrameReader } from './frame-reader.ts';
import { PART_BYTES_MAX } from './limits.ts';
import { PartAssembly } from './part-assembly.ts';

const frames: fc.Arbitrary<Frame> = fc.record(
  {
    kind: fc.constantFrom('hello', 'hello-refused', 'message', 'request', 'reply', 'heartbeat', 'goodbye'),
    lane: fc.constantFrom('urgent', 'normal', 'bulk'),
    hasMore: fc.boolean(),
    correlation: fc.integer({ min: 0, max: 0xffff_ffff }),
    payload: fc.uint8Array({ maxLength: 300 }),
  },
  { noNullPrototype: true },
) as fc.Arbitrary<Frame>;

function toBytes(...all: readonly Frame[]): Uint8Array {
  return Buffer.concat(
    all.map((frame) => {
      const head = new Uint8Array(HEADER_BYTES);
      writeHeader(frame, frame.payload.length, head);
      return Buffer.concat([head, frame.payload]);
    }),
  );
}

/** Reads `bytes` cut at `cuts`; what frames hold is copied, since it is only good until the next chunk. */
function read(reader: FrameReader, bytes: Uint8Array, cuts: readonly number[] = []): Frame[] {
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  const found: Frame[] = [];
  let start = 0;
  for (const end of ends) {
    for (const frame of reader.push(bytes.subarray(start, end))) {
      found.push({ ...frame, payload: frame.payload.slice() });
    }
    start = end;
  }
  return found;
}

const withPlainPayload = (all: readonly Frame[]) =>
  all.map((frame) => ({ ...frame, payload: new Uint8Array(frame.payload) }));

test('frames come back as they were written, whatever the chunks', () => {
  const cuts = fc.array(fc.nat(), { maxLength: 30 });
  fc.assert(
    fc.property(fc.array(frames, { maxLength: 8 }), cuts, (all, at) => {
      const got = read(new FrameReader(PART_BYTES_MAX), toBytes(...all), at);
      assert.deepStrictEqual(withPlainPayload(got), withPlainPayload(all));
    }),
    { numRuns: 500 },
  );
});

test('frames come back byte by byte and at every single cut', () => {
  const message: Frame = {
    kind: 'message',
    lane: 'bulk',
    hasMore: false,
    correlation: 9,
    payload: new Uint8Array(20).fill(7),
  };
  const empty: Frame = { ...message, kind: 'heartbeat', lane: 'urgent', payload: new Uint8Array(0) };
  const all = [message, empty, message];
  const bytes = toBytes(...all);
  const each = Array.from(bytes, (_, at) => at);
  assert.deepStrictEqual(withPlainPayload(read(new FrameReader(100), bytes, each)), all);
  for (const cut of each) {
    assert.deepStrictEqual(withPlainPayload(read(new FrameReader(100), bytes, [cut])), all);
  }
});

test('random bytes give frames or a ProtocolError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.array(fc.nat(), { maxLength: 5 }), (bytes, cuts) => {
      try {
        for (const { payload } of read(new FrameReader(100), bytes, cuts)) assert.ok(payload.length <= 100);
      } catch (error) {
        assert.ok(error instanceof ProtocolError);
      }
    }),
    { numRuns: 5000 },
  );
});

test('a frame that says it is too long is refused before its payload comes', () => {
  const head = new Uint8Array(HEADER_BYTES);
  writeHeader({ kind: 'message', lane: 'urgent', hasMore: false, correlation: 0 }, 101, head);
  assert.throws(() => read(new FrameReader(100), head), /message frame of 101 bytes; at most 100/);
});

const frame = (kind: Frame['kind'], change: Partial<Frame> = {}): Frame => ({
  kind,
  lane: 'normal',
  hasMore: false,
  correlation: 1,
  payload: new Uint8Array([1, 2, 3]),
  ...change,
});

test('parts are joined by lane, and other lanes come between', () => {
  const parts = new PartAssembly(100);
  assert.equal(parts.add(frame('request', { hasMore: true })), undefined);
  const urgent = frame('message', { lane: 'urgent' });
  assert.equal(parts.add(urgent), urgent);
  assert.equal(parts.add(frame('request', { hasMore: true, payload: new Uint8Array([4]) })), undefined);
  const whole = parts.add(frame('request', { payload: new Uint8Array([5, 6]) }));
  assert.deepStrictEqual(whole, frame('request', { payload: new Uint8Array([1, 2, 3, 4, 5, 6]) }));
  assert.deepStrictEqual(parts.add(frame('reply')), frame('reply'));
});

test('parts beyond the limit, of another payload or without bytes are refused', () => {
  const begun = () => {
    const parts = new PartAssembly(5);
    parts.add(frame('request', { hasMore: true }));
    return parts;
  };
  assert.throws(() => begun().add(frame('request')), /request of more than 5 bytes/);
  assert.throws(() => begun().add(frame('reply')), /a reply frame inside an unfinished request/);
  assert.throws(() => begun().add(frame('request', { correlation: 2 })), /inside an unfinished request/);
  const empty = frame('request', { hasMore: true, payload: new Uint8Array(0) });
  assert.throws(() => begun().add(empty), /an empty part/);
});
