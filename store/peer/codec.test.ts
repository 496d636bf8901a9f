import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { Packr } from 'msgpackr/pack';
import {
  decodeHello,
  decodeHelloRefusal,
  decodeMessage,
  decodeProtocolRange,
  decodeReply,
  decodeRequest,
  encodeBody,
  encodeReply,
  type PeerBody,
} from './codec.ts';
import { ProtocolError } from './frame.ts';
import { DEPTH_MAX, ENTRIES_MAX, RUMOURS_MAX, TEXT_CHARS_MAX } from './limits.ts';
import { helloRefusals, hellos, packedMessages, peerReplies, peerRequests } from './test-messages.ts';

const kinds = {
  message: { arbitrary: packedMessages, decode: decodeMessage },
  request: { arbitrary: peerRequests, decode: decodeRequest },
  reply: { arbitrary: peerReplies, decode: decodeReply },
  hello: { arbitrary: hellos, decode: decodeHello },
  'hello-refused': { arbitrary: helloRefusals, decode: decodeHelloRefusal },
} as const;
const anyBody = fc.oneof(...Object.values(kinds).map(({ arbitrary }) => arbitrary as fc.Arbitrary<PeerBody>));
const decoders = Object.values(kinds).map(({ decode }) => decode);

for (const [name, { arbitrary, decode }] of Object.entries(kinds)) {
  test(`every ${name} comes back as it was sent`, () => {
    fc.assert(
      fc.property(arbitrary as fc.Arbitrary<PeerBody>, (body) => {
        assert.deepStrictEqual(decode(encodeBody(body)), body);
      }),
      { numRuns: 500 },
    );
  });
}

/** All that decoding may do: give a value, or say that there is none. */
function decodesOrRefuses(payload: Uint8Array): void {
  for (const decode of decoders) {
    try {
      decode(payload);
    } catch (error) {
      assert.ok(error instanceof ProtocolError, `threw ${error}`);
      assert.ok(error.message.length <= 300);
    }
  }
}

test('random bytes are refused or decoded, never worse', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), decodesOrRefuses), { numRuns: 5000 });
});

test('a body with flipped bits is refused or decoded, never worse', () => {
  const flips = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), {
    minLength: 1,
    maxLength: 4,
  });
  fc.assert(
    fc.property(anyBody, flips, (body, changes) => {
      const payload = encodeBody(body).slice();
      for (const [at, mask] of changes) payload[at % payload.length]! ^= mask;
      decodesOrRefuses(payload);
    }),
    { numRuns: 3000 },
  );
});

test('a truncated body and one with bytes behind it are refused', () => {
  fc.assert(
    fc.property(anyBody, fc.nat(), (body, cut) => {
      const payload = encodeBody(body);
      const short = payload.subarray(0, cut % payload.length);
      const long = new Uint8Array([...payload, 0xc0]);
      for (const decode of decoders) {
        assert.throws(() => decode(short), ProtocolError);
        assert.throws(() => decode(long), ProtocolError);
      }
    }),
    { numRuns: 500 },
  );
});

test('decoding works after decoding has failed: the library keeps state between calls', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), packedMessages, (junk, message) => {
      decodesOrRefuses(junk);
      assert.deepStrictEqual(decodeMessage(encodeBody(message)), message);
    }),
    { numRuns: 1000 },
  );
});

test('byte arrays own their memory: what the frame lay in may be overwritten', () => {
  const message = append([{ type: 'command', index: 1, term: 1, data: new Uint8Array([1, 2, 3]) }]);
  const payload = Buffer.from(encodeBody(message as never));
  const decoded = decodeMessage(payload);
  payload.fill(0xff);
  assert.deepStrictEqual(decoded, message);
  assert.equal(payload.buffer === entryData(decoded).buffer, false);
  assert.equal(entryData(decoded).constructor, Uint8Array);
});

const plain = new Packr({ useRecords: false });
const heartbeat = { type: 'heartbeat', from: 1, to: 2, term: 3, commit: 4, round: 5 };
const raft = (message: object) => ({ type: 'raft', message });
const append = (entries: readonly object[]) =>
  raft({ type: 'append', from: 1, to: 2, term: 1, previous: { index: 0, term: 0 }, entries, commit: 0 });
const entryData = (message: unknown) =>
  (message as { message: { entries: { data: Uint8Array }[] } }).message.entries[0]!.data;

const refused: Record<string, unknown> = {
  'not a map': 7,
  'no type': { message: heartbeat },
  'an unknown type': { type: 'raft2', message: heartbeat },
  'an unknown Raft message': raft({ ...heartbeat, type: 'heartbeet' }),
  'a negative index': raft({ ...heartbeat, commit: -1 }),
  'a fraction for an index': raft({ ...heartbeat, commit: 1.5 }),
  'an index that no number holds': raft({ ...heartbeat, commit: 2 ** 60 }),
  'a text for a number': raft({ ...heartbeat, term: '3' }),
  'member 0': raft({ ...heartbeat, from: 0 }),
  'not a number': raft({ ...heartbeat, round: Number.NaN }),
  'a missing field': raft({ type: 'heartbeat', from: 1, to: 2, term: 3, commit: 4 }),
  'text for bytes': append([{ type: 'command', index: 1, term: 1, data: 'abc' }]),
  'an entry of no type': append([{ index: 1, term: 1 }]),
  'too many entries': append(Array(ENTRIES_MAX + 1).fill({ type: 'no-op', index: 1, term: 1 })),
  'too many rumours': {
    type: 'gossip',
    packet: { type: 'ping', from: 1, sequence: 1, rumours: Array(RUMOURS_MAX + 1).fill(0) },
  },
};
for (const [what, body] of Object.entries(refused)) {
  test(`refused: ${what}`, () => assert.throws(() => decodeMessage(plain.pack(body)), ProtocolError));
}

test('text is bounded', () => {
  const busy = (chars: number) => plain.pack({ type: 'busy', message: 'x'.repeat(chars) });
  assert.equal((decodeReply(busy(TEXT_CHARS_MAX)) as { message: string }).message.length, TEXT_CHARS_MAX);
  assert.throws(() => decodeReply(busy(TEXT_CHARS_MAX + 1)), /message: /);
});

test('fields that a newer version adds are dropped, and optional fields that an older one lacks are undefined', () => {
  const newer = plain.pack({
    type: 'not-leader',
    leader: { member: 1, address: 'a:1', extra: 1 },
    more: [1],
  });
  assert.deepStrictEqual(decodeReply(newer), { type: 'not-leader', leader: { member: 1, address: 'a:1' } });
  const older = decodeReply(plain.pack({ type: 'not-leader' }));
  assert.equal(older.type === 'not-leader' && older.leader, undefined);
});

test('the versions in a hello are read whatever else it holds', () => {
  const payload = plain.pack({ protocolMin: 8, protocolMax: 9, identity: [1, 2] });
  assert.throws(() => decodeHello(payload), ProtocolError);
  assert.deepStrictEqual(decodeProtocolRange(payload), { protocolMin: 8, protocolMax: 9 });
  assert.equal(decodeProtocolRange(plain.pack({ protocolMin: 8 })), undefined);
  assert.equal(decodeProtocolRange(new Uint8Array([0xc1])), undefined);
});

test('a __proto__ in a map changes no prototype', () => {
  const payload = plain.pack(
    new Map<string, unknown>([
      ['type', 'who'],
      ['__proto__', { polluted: 1 }],
    ]),
  );
  assert.deepStrictEqual(decodeRequest(payload), { type: 'who' });
  assert.equal(({} as { polluted?: number }).polluted, undefined);
});

/** What the library would act on: each is refused before it sees it. */
const hostile: Record<string, readonly number[]> = {
  'a record definition, for which the library generates code': [0xd4, 0x72, 0x40, 0x91, 0xa1, 0x61, 0x01],
  'a wide record definition': [0xd5, 0x72, 0x40, 0x01, 0x91, 0xa1, 0x61, 0x01],
  'a pattern': [0xc7, 0x00, 0x78, 0x92, 0xa1, 0x61, 0xa0],
  'a date': [0xd6, 0xff, 0, 0, 0, 0],
  'a big integer': [0xc7, 0x02, 0x42, 0xff, 0xff],
  'a reference': [0xd6, 0x70, 0, 0, 0, 1],
  'bundled strings': [0xd6, 0x62, 0xff, 0xff, 0xff, 0xff],
  'an error': [0xd4, 0x65, 0x00, 0x91, 0xa1, 0x61],
  'the byte that is never used': [0xc1],
  'a list that says it has 4 billion items': [0xdd, 0xff, 0xff, 0xff, 0xff],
  'a map that says it has 4 billion items': [0xdf, 0xff, 0xff, 0xff, 0xff],
  'bytes that say they are 4 GiB': [0xc6, 0xff, 0xff, 0xff, 0xff],
  'text that says it is 4 GiB': [0xdb, 0xff, 0xff, 0xff, 0xff],
  'lists in lists without end': Array(60_000).fill(0x91),
  'one level too deep': [...Array(DEPTH_MAX + 1).fill(0x91), 0xc0],
  nothing: [],
};
for (const [what, payload] of Object.entries(hostile)) {
  test(`refused before the library sees it: ${what}`, () => {
    for (const decode of decoders) assert.throws(() => decode(new Uint8Array(payload)), ProtocolError);
  });
}

test('a reply that has its memory for itself is shared by what it holds; in a larger buffer it is not', () => {
  const reply = {
    type: 'data',
    reply: { type: 'bulk', records: new Uint8Array([7, 8, 9]), p99Ms: undefined, last: undefined },
  };
  const recordsIn = (payload: Uint8Array) =>
    (decodeReply(payload) as { readonly reply: { readonly records: Uint8Array } }).reply.records;
  const alone = Uint8Array.from(encodeBody(reply as never));
  assert.equal(recordsIn(alone).buffer, alone.buffer);
  const inside = new Uint8Array([...alone, 0]).subarray(0, alone.length);
  assert.notEqual(recordsIn(inside).buffer, inside.buffer);
  assert.deepEqual(recordsIn(inside), recordsIn(alone));
});

test('a page is sent as it is behind the rest of its reply, and read as any other', () => {
  for (const bytes of [0, 1, 300, 70_000]) {
    const records = new Uint8Array(bytes).fill(7);
    const last = { namespaceId: 3, key: new Uint8Array([1, 2]) };
    const reply = { type: 'data', reply: { type: 'bulk', records, last, p99Ms: 1.5 } };
    const { payload, tail } = encodeReply(reply as never);
    assert.equal(tail, records);
    assert.deepEqual(decodeReply(Buffer.concat([payload, tail])), reply);
  }
  const other = { type: 'data', reply: { type: 'leaves', entries: [], done: true } };
  const { payload, tail } = encodeReply(other as never);
  assert.deepEqual([decodeReply(payload), tail.length], [other, 0]);
});

test('a body stays what it is while others are encoded, small or large', () => {
  const bodies = [10, 3 << 20, 100].map((bytes) =>
    append([{ type: 'command', index: 1, term: 1, data: new Uint8Array(bytes).fill(bytes) }]),
  );
  const encoded = bodies.map((body) => encodeBody(body as never));
  for (const [i, body] of bodies.entries()) assert.deepEqual(decodeMessage(encoded[i] as Uint8Array), body);
});
