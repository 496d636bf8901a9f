import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RequestProtocolError } from './protocol-error.ts';
import { type RequestLimits, RequestReader } from './request-reader.ts';

const LIMITS: RequestLimits = {
  lineBytesMax: 1000,
  argumentsMax: 100,
  argumentBytesMax: 5000,
  requestBytesMax: 20_000,
};

function encoded(request: readonly Uint8Array[]): Buffer {
  const parts = request.map((each) => Buffer.concat([Buffer.from(`$${each.length}\r\n`), each, CRLF]));
  return Buffer.concat([Buffer.from(`*${request.length}\r\n`), ...parts]);
}
const CRLF = Buffer.from('\r\n');

/** The requests as text, and the text of the error that ended them. */
function readAll(chunks: readonly Uint8Array[], limits = LIMITS): { requests: string[][]; error?: string } {
  const reader = new RequestReader(limits);
  const requests: string[][] = [];
  try {
    for (const chunk of chunks) {
      reader.push(chunk);
      for (let next = reader.next(); next !== undefined; next = reader.next())
        requests.push(next.map((each) => Buffer.from(each).toString('latin1')));
    }
  } catch (error) {
    if (!(error instanceof RequestProtocolError)) throw error;
    return { requests, error: error.message };
  }
  return { requests };
}

const read = (text: string) => readAll([Buffer.from(text, 'latin1')]);

function cut(bytes: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const length = lengths[i % lengths.length] as number;
    chunks.push(bytes.subarray(at, at + length));
    at += length;
  }
  return chunks;
}

const requestArbitrary = fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 5 });
const lengthsArbitrary = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 8 });

test('requests come out as they went in, however the bytes are cut', () => {
  fc.assert(
    fc.property(fc.array(requestArbitrary, { maxLength: 6 }), lengthsArbitrary, (requests, lengths) => {
      const bytes = Buffer.concat(requests.map(encoded));
      const expected = requests.map((each) => each.map((arg) => Buffer.from(arg).toString('latin1')));
      assert.deepEqual(readAll(cut(bytes, lengths)), { requests: expected });
    }),
  );
});

const pieceArbitrary = fc.oneof(
  fc.constantFrom(
    '*1\r\n',
    '*2\r\n$3\r\nGET\r\n',
    '$1\r\nk\r\n',
    '*-1\r\n',
    '$-1\r\n',
    '\r\n',
    '\n',
    'PING\r\n',
  ),
  fc.constantFrom(
    'SET "a b" \'c\'\r\n',
    '*999999999\r\n',
    '$99999999\r\n',
    '"',
    '*',
    '$',
    '*x\r\n',
    '*2\r\n',
  ),
  requestArbitrary.map((request) => encoded(request).toString('latin1')),
  fc.string({ maxLength: 12, unit: 'binary-ascii' }),
);

test('hostile bytes give the same requests and the same error, however they are cut', () => {
  fc.assert(
    fc.property(fc.array(pieceArbitrary, { maxLength: 8 }), lengthsArbitrary, (pieces, lengths) => {
      const bytes = Buffer.from(pieces.join(''), 'latin1');
      const whole = readAll([bytes]);
      assert.deepEqual(readAll(cut(bytes, lengths)), whole);
      assert.deepEqual(readAll(cut(bytes, [1])), whole);
    }),
    { numRuns: 500 },
  );
});

test('an argument that lies in one chunk is a part of that chunk', () => {
  const chunk = encoded([Buffer.from('SET'), Buffer.from('k'), Buffer.alloc(3000, 1)]);
  const reader = new RequestReader(LIMITS);
  reader.push(chunk);
  assert.equal(reader.next()?.[2]?.buffer, chunk.buffer);
  assert.equal(reader.heldBytes, 0);
});

test('a large value that comes in pieces holds about as much as has come', () => {
  const limits = { ...LIMITS, argumentBytesMax: 64 << 20, requestBytesMax: 64 << 20 };
  const reader = new RequestReader(limits);
  reader.push(Buffer.from('*2\r\n$1\r\nx\r\n$5000000\r\n'));
  assert.equal(reader.next(), undefined);
  for (let i = 0; i < 99; i++) {
    reader.push(Buffer.alloc(50_000, i));
    assert.equal(reader.next(), undefined);
  }
  reader.push(Buffer.concat([Buffer.alloc(50_000, 99), CRLF]));
  const value = reader.next()?.[1] as Uint8Array;
  assert.equal(value.length, 5_000_000);
  assert.deepEqual([value[0], value[49_999], value[50_000], value[4_999_999]], [0, 0, 1, 99]);
});

test('inline commands are split as redis-cli splits them', () => {
  const { requests } = read(
    'PING\r\n  set  k "a b\\x41\\n\\"" \'it\\\'s\'\n\r\n*0\r\n*-10\r\nGET k\r\nECHO ""\r\n',
  );
  assert.deepEqual(requests, [['PING'], ['set', 'k', 'a bA\n"', "it's"], ['GET', 'k'], ['ECHO', '']]);
});

test('what is no request is refused with the texts of Redis', () => {
  const errorOf = (text: string) => read(text).error;
  assert.equal(errorOf('*20000000\r\n'), 'Protocol error: invalid multibulk length');
  assert.equal(errorOf('*abc\r\n'), 'Protocol error: invalid multibulk length');
  assert.equal(errorOf('*3\r\n$3\r\nSET\r\n$1\r\nx\r\nfooz\r\n'), "Protocol error: expected '$', got 'f'");
  assert.equal(errorOf('*1\r\n\r\n'), "Protocol error: expected '$', got '.'");
  assert.equal(errorOf('*2\r\n$3\r\nGET\r\n$-10\r\n'), 'Protocol error: invalid bulk length');
  assert.equal(errorOf('*2\r\n$3\r\nGET\r\n$2000000000\r\n'), 'Protocol error: invalid bulk length');
  assert.equal(errorOf('*1\r\n$4\r\nPINGxx'), 'Protocol error: invalid bulk length');
  assert.equal(errorOf('SET "k\r\n'), 'Protocol error: unbalanced quotes in request');
  assert.equal(errorOf('SET "k"x\r\n'), 'Protocol error: unbalanced quotes in request');
  assert.equal(errorOf('A'.repeat(1001)), 'Protocol error: too big inline request');
  assert.equal(errorOf(`*${'1'.repeat(1001)}`), 'Protocol error: too big mbulk count string');
  assert.equal(errorOf(`*1\r\n$${'1'.repeat(1001)}`), 'Protocol error: too big bulk count string');
  const large = `$5000\r\n${'x'.repeat(5000)}\r\n`;
  assert.equal(errorOf(`*6\r\n${large.repeat(5)}`), 'Protocol error: too big request');
});

test('what came before the error is answered', () => {
  assert.deepEqual(read('PING\r\n*x\r\nPING\r\n'), {
    requests: [['PING']],
    error: 'Protocol error: invalid multibulk length',
  });
});
