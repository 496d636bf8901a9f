import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { toEpoch } from '../core/topology/types.ts';
import { ProtocolError } from './frame.ts';
import { BATCH_OPERATIONS_MAX, KEY_BYTES_MAX, TEXT_CHARS_MAX } from './limits.ts';
import { BATCH_HEAD_BYTES, BatchWriter, decodeBatch } from './replica-codec.ts';
import { replyBytesMax } from './replica-codec-reply.ts';
import { requestBytes } from './replica-codec-request.ts';
import type { ReplicaReply, ReplicaRequest } from './replica-messages.ts';
import { encodeBatch, replicaBatches } from './test-replica-messages.ts';

const VERSION = { wallMs: 2 ** 40, counter: 7, member: 3 };
const request = (change: Partial<ReplicaRequest> = {}): ReplicaRequest => ({
  to: 2,
  partition: 5,
  epoch: toEpoch(9),
  namespaceId: 1,
  key: new Uint8Array([1, 2, 3]),
  body: { type: 'ask' },
  ...change,
});
const refusal = (message: string): ReplicaReply => ({
  from: 2,
  epoch: toEpoch(0),
  body: { type: 'refused', code: 'REPLICA_OUT', message },
});
const encodeRequests = (...requests: readonly ReplicaRequest[]): Uint8Array =>
  encodeBatch({
    type: 'requests',
    session: 1,
    to: 2,
    items: requests.map((request, id) => ({ id, remainingMs: 100, request })),
  });
const encodeReplies = (...replies: readonly ReplicaReply[]): Uint8Array =>
  encodeBatch({ type: 'replies', session: 1, from: 2, items: replies.map((reply, id) => ({ id, reply })) });

function decodesOrRefuses(bytes: Uint8Array): void {
  try {
    decodeBatch(bytes);
  } catch (error) {
    assert.ok(error instanceof ProtocolError, `threw ${error}`);
  }
}

test('every batch comes back as it was written, also from a writer that was used before', () => {
  const writer = new BatchWriter({ bytesMax: 1 << 24 });
  fc.assert(
    fc.property(replicaBatches, (batch) => {
      assert.deepStrictEqual(decodeBatch(encodeBatch(batch, writer)), batch);
    }),
    { numRuns: 2000 },
  );
});

test('a batch has no second form: what is decoded is written as the same bytes', () => {
  const flips = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { maxLength: 3 });
  let decoded = 0;
  const check = fc.property(replicaBatches, flips, (batch, changes) => {
    const bytes = encodeBatch(batch);
    for (const [at, mask] of changes) bytes[at % bytes.length]! ^= mask;
    let again: ReturnType<typeof decodeBatch>;
    try {
      again = decodeBatch(bytes);
    } catch (error) {
      assert.ok(error instanceof ProtocolError, `threw ${error}`);
      return;
    }
    decoded += 1;
    assert.deepStrictEqual(encodeBatch(again), bytes);
  });
  fc.assert(check, { numRuns: 3000 });
  assert.ok(decoded > 500, `only ${decoded} were decoded`);
});

test('any bytes are a batch or a ProtocolError', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), decodesOrRefuses), { numRuns: 5000 });
  const withKind = fc.tuple(fc.constantFrom(1, 2), fc.uint8Array({ maxLength: 100 }));
  const head = [0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 1];
  fc.assert(
    fc.property(withKind, ([kind, rest]) => decodesOrRefuses(new Uint8Array([kind, ...head, ...rest]))),
    { numRuns: 5000 },
  );
});

test('a batch that is cut short, or has bytes behind it, is refused', () => {
  fc.assert(
    fc.property(replicaBatches, fc.nat(), (batch, cut) => {
      const bytes = encodeBatch(batch);
      assert.throws(() => decodeBatch(bytes.subarray(0, cut % bytes.length)), ProtocolError);
      assert.throws(() => decodeBatch(new Uint8Array([...bytes, 0])), ProtocolError);
    }),
    { numRuns: 500 },
  );
});

test('requestBytes is what a request takes, and replyBytesMax what a reply takes at most', () => {
  fc.assert(
    fc.property(replicaBatches, (batch) => {
      const item = batch.items[0]!;
      const bytes = encodeBatch({ ...batch, items: [item] } as typeof batch).length - BATCH_HEAD_BYTES;
      if ('request' in item) assert.equal(bytes, requestBytes(item.request));
      else assert.ok(bytes <= replyBytesMax(item.reply), `${bytes} > ${replyBytesMax(item.reply)}`);
    }),
  );
});

test('keys and records are plain bytes in the memory of the batch, also where that is a Buffer', () => {
  const record = new Uint8Array([9, 9]);
  const bytes = Buffer.from(
    encodeRequests(request({ body: { type: 'store', origin: 'hint', record, sourceWatermark: VERSION } })),
  );
  const batch = decodeBatch(bytes);
  assert.ok(batch.type === 'requests');
  const { key } = batch.items[0]!.request;
  assert.equal(key.constructor, Uint8Array);
  assert.equal(key.buffer, bytes.buffer);
});

test('BatchWriter: a batch ends before it grows over bytesMax, and one item always fits', () => {
  const writer = new BatchWriter({ bytesMax: 100 });
  const big = request({ key: new Uint8Array(500).fill(1) });
  writer.begin({ type: 'requests', session: 1, member: 2 });
  assert.equal(writer.addRequest(1, 1, big), true);
  assert.equal(writer.addRequest(2, 1, request()), false);
  assert.ok(writer.take().length > 500);
  writer.begin({ type: 'requests', session: 1, member: 2 });
  let fitted = 0;
  while (writer.addRequest(fitted, 1, request())) fitted += 1;
  assert.equal(fitted, Math.floor((100 - BATCH_HEAD_BYTES) / requestBytes(request())));
  const bytes = writer.take();
  assert.ok(bytes.length <= 100);
  assert.equal(decodeBatch(bytes).items.length, fitted);
});

test('BatchWriter: a batch holds at most BATCH_OPERATIONS_MAX', () => {
  const writer = new BatchWriter({ bytesMax: 1 << 24 });
  writer.begin({ type: 'requests', session: 1, member: 2 });
  for (let id = 0; id < BATCH_OPERATIONS_MAX; id++) assert.ok(writer.addRequest(id, 1, request()));
  assert.equal(writer.addRequest(1, 1, request()), false);
  assert.equal(decodeBatch(writer.take()).items.length, BATCH_OPERATIONS_MAX);
});

test('BatchWriter: what was taken is not written over, also after it grew large', () => {
  const writer = new BatchWriter({ bytesMax: 1 << 24 });
  const store = (byte: number) =>
    request({
      body: {
        type: 'store',
        origin: 'write',
        record: new Uint8Array(2 << 20).fill(byte),
        sourceWatermark: undefined,
      },
    });
  const taken = [1, 2].map((byte) => {
    writer.begin({ type: 'requests', session: 1, member: 2 });
    writer.addRequest(byte, 1, store(byte));
    return writer.take();
  });
  for (const [place, bytes] of taken.entries()) {
    const { items } = decodeBatch(bytes);
    assert.deepStrictEqual((items[0] as { request: ReplicaRequest }).request, store(place + 1));
  }
});

test('the remaining time is rounded up, and never negative', () => {
  const batch = (remainingMs: number) =>
    decodeBatch(
      encodeBatch({
        type: 'requests',
        session: 1,
        to: 2,
        items: [{ id: 1, remainingMs, request: request() }],
      }),
    );
  const remaining = (ms: number) => (batch(ms).items[0] as { remainingMs: number }).remainingMs;
  assert.deepEqual([-5, 0, 0.2, 7, 2 ** 40].map(remaining), [0, 0, 1, 7, 0xffff_ffff]);
});

test('a text for people is cut to what may travel', () => {
  const { items } = decodeBatch(encodeReplies(refusal('ä'.repeat(TEXT_CHARS_MAX + 5)), refusal('')));
  const texts = items.map((item) => (item as { reply: { body: { message: string } } }).reply.body.message);
  assert.deepEqual(texts, ['ä'.repeat(TEXT_CHARS_MAX), '']);
});

const wrongToWrite: Record<string, () => unknown> = {
  'no key': () => encodeRequests(request({ key: new Uint8Array(0) })),
  'a long key': () => encodeRequests(request({ key: new Uint8Array(KEY_BYTES_MAX + 1) })),
  'a partition too many': () => encodeRequests(request({ partition: 4096 })),
  'an epoch that is none': () => encodeRequests(request({ epoch: toEpoch(-1) })),
  'a record where none was asked for': () =>
    encodeReplies({
      from: 2,
      epoch: toEpoch(1),
      body: {
        type: 'sight',
        version: VERSION,
        watermark: VERSION,
        isFull: false,
        record: new Uint8Array(1),
      },
    }),
};
for (const [what, write] of Object.entries(wrongToWrite)) {
  test(`not written: ${what}`, () => assert.throws(write, RangeError));
}

const KEY_LENGTH_AT = BATCH_HEAD_BYTES + 20;
const REPLY_KIND_AT = BATCH_HEAD_BYTES + 10;
const changed = (bytes: Uint8Array, at: number, ...values: readonly number[]): Uint8Array => {
  bytes.set(values, at);
  return bytes;
};
const refused: Record<string, [Uint8Array, RegExp]> = {
  nothing: [new Uint8Array(0), /ends before it should/],
  'an unknown kind of batch': [changed(encodeRequests(request()), 0, 3), /unknown kind 3/],
  'member 0': [changed(encodeRequests(request()), 7, 0, 0, 0, 0), /member 0/],
  'no items': [changed(encodeRequests(request()), 11, 0, 0), /batch of 0/],
  'too many items': [changed(encodeRequests(request()), 11, 0xff, 0xff), /batch of 65535/],
  'a partition too many': [
    changed(encodeRequests(request()), BATCH_HEAD_BYTES + 8, 0x10, 0),
    /partition 4096/,
  ],
  'an empty key': [changed(encodeRequests(request()), KEY_LENGTH_AT, 0, 0), /key of 0 bytes/],
  'a long key': [changed(encodeRequests(request()), KEY_LENGTH_AT, 4, 1), /key of 1025 bytes/],
  'an unknown request': [changed(encodeRequests(request()), KEY_LENGTH_AT + 5, 9), /unknown kind 9/],
  'an unknown reply': [changed(encodeReplies(refusal('')), REPLY_KIND_AT, 9), /unknown kind 9/],
  'an unknown refusal': [changed(encodeReplies(refusal('')), REPLY_KIND_AT + 1, 200), /unknown code 200/],
  'text that is no UTF-8': [changed(encodeReplies(refusal('ab')), REPLY_KIND_AT + 4, 0xff), /no UTF-8/],
};
for (const [what, [bytes, message]] of Object.entries(refused)) {
  test(`refused: ${what}`, () => {
    assert.throws(
      () => decodeBatch(bytes),
      (error) => error instanceof ProtocolError && message.test(error.message),
    );
  });
}
