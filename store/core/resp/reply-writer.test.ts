import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { plainOf, readReplies } from '../../io/resp/dumb-reply-reader.ts';
import { bulk, type Reply } from './reply.ts';
import { ReplyWriter } from './reply-writer.ts';

const text = fc.string({ maxLength: 20, unit: 'grapheme' });
const { reply } = fc.letrec<{ reply: Reply }>((tie) => {
  const items = fc.array(tie('reply'), { maxLength: 4 });
  return {
    reply: fc.oneof(
      { maxDepth: 3 },
      fc.record({ type: fc.constant('simple' as const), text }),
      fc.record({ type: fc.constant('error' as const), text }),
      fc.record({ type: fc.constant('integer' as const), value: fc.maxSafeInteger() }),
      fc.record({ type: fc.constant('bulk' as const), value: fc.uint8Array({ maxLength: 20_000 }) }),
      fc.record({ type: fc.constant('bulk' as const), value: text }),
      fc.record({ type: fc.constant('verbatim' as const), text }),
      fc.record({ type: fc.constant('nil' as const) }),
      fc.record({ type: fc.constant('double' as const), value: fc.constantFrom(0, 1.5, -3, 1e21) }),
      fc.record({ type: fc.constant('array' as const), items }),
      fc.record({ type: fc.constant('set' as const), items }),
      fc.record({
        type: fc.constant('map' as const),
        entries: fc.array(fc.tuple(tie('reply'), tie('reply')), { maxLength: 3 }),
      }),
    ),
  };
});

test('replies are read back as they were, in both protocols', () => {
  fc.assert(
    fc.property(
      fc.array(reply, { maxLength: 5 }),
      fc.constantFrom(2 as const, 3 as const),
      (replies, protocol) => {
        const writer = new ReplyWriter();
        for (const each of replies) writer.write(each, protocol);
        const { bytes } = writer;
        const written = Buffer.concat(writer.take());
        assert.equal(written.length, bytes);
        assert.deepEqual(readReplies(written.toString('latin1')), {
          replies: replies.map((each) => plainOf(each, protocol)),
          rest: '',
        });
      },
    ),
  );
});

test('small replies share a piece, a large value is handed on and not copied', () => {
  const writer = new ReplyWriter();
  const large = new Uint8Array(5000);
  for (let i = 0; i < 10; i++) writer.write(bulk('v'), 2);
  writer.write(bulk(large), 2);
  writer.write(bulk('v'), 2);
  const pieces = writer.take();
  assert.deepEqual(
    pieces.map((piece) => piece.length),
    [10 * '$1\r\nv\r\n'.length + '$5000\r\n'.length, 5000, '\r\n$1\r\nv\r\n'.length],
  );
  assert.equal(pieces[1], large);
  assert.deepEqual(writer.take(), []);
});

test('what was taken is not written over', () => {
  const writer = new ReplyWriter();
  writer.write(bulk('first'), 2);
  const [first] = writer.take();
  writer.write(bulk('second'), 2);
  assert.equal(Buffer.from(first as Uint8Array).toString(), '$5\r\nfirst\r\n');
});

test('no error text can be taken for two replies', () => {
  const writer = new ReplyWriter();
  writer.write({ type: 'error', text: 'ERR a\r\n+OK' }, 3);
  assert.equal(Buffer.concat(writer.take()).toString(), '-ERR a  +OK\r\n');
});
