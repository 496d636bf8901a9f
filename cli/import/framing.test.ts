import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type Framer, readFrames } from './frame.ts';
import { csvCell, frameCsv } from './frame-csv.ts';
import { frameJsonObject } from './frame-json-array.ts';
import { frameLine, frameTsv } from './frame-line.ts';
import { decodeUtf8 } from './utf8.ts';

async function framesOf(framer: Framer, text: string, chunkBytes = 3): Promise<string[]> {
  const bytes = Buffer.from(text);
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
  }
  const lines: string[] = [];
  for await (const frames of readFrames(chunks(), framer))
    for (const { line, frame } of frames) {
      const { next: _, type, ...rest } = frame;
      lines.push(`${line} ${type} ${JSON.stringify(Object.values(rest)[0])}`);
    }
  return lines;
}

describe('frameCsv', () => {
  test('cuts quotes, newlines in quotes, CRLF, empty cells and a last line without newline', async () => {
    assert.deepEqual(await framesOf(frameCsv, '\ufeffa,b\r\n"x ""y""","1\n2"\n,\n\n"",end'), [
      '1 cells ["a","b"]',
      '2 cells ["x \\"y\\"","1\\n2"]',
      '4 cells ["",""]',
      '6 cells ["","end"]',
    ]);
  });

  test('loses only the line with the broken quote', async () => {
    assert.deepEqual(await framesOf(frameCsv, 'a,1\n"b"x,2\nc,3\n"d,4\ne,5\n'), [
      '1 cells ["a","1"]',
      '2 bad "text behind a closing quote; write a quote inside quotes twice"',
      '3 cells ["c","3"]',
      '4 bad "a quote is opened and never closed"',
      '5 cells ["e","5"]',
    ]);
  });

  test('reads back what csvCell wrote, however the input is cut', async () => {
    const cell = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', 'é', '\t', '') });
    const rows = fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(rows, fc.integer({ min: 1, max: 9 }), async (table, chunkBytes) => {
        const text = table.map((row) => `${row.map(csvCell).join(',')}\n`).join('');
        const frames = await framesOf(frameCsv, text, chunkBytes);
        const read = frames.map((frame) => JSON.parse(frame.replace(/^\d+ cells /, '')).map(decodeUtf8));
        assert.deepEqual(read, table);
      }),
    );
  });
});

test('frameTsv splits at tabs and leaves quotes alone', async () => {
  assert.deepEqual(await framesOf(frameTsv, 'a\t"b\r\n\tc'), ['1 cells ["a","\\"b"]', '2 cells ["","c"]']);
});

test('frameLine skips empty lines and counts them', async () => {
  assert.deepEqual(await framesOf(frameLine, 'one\n\n\r\nfour'), ['1 text "one"', '4 text "four"']);
});

describe('frameJsonObject', () => {
  test('cuts objects at any cut of the input, whatever their strings hold', async () => {
    const objects = fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(
        objects,
        fc.integer({ min: 1, max: 20 }),
        fc.boolean(),
        async (list, chunkBytes, isIndented) => {
          const frames = await framesOf(
            frameJsonObject,
            JSON.stringify(list, undefined, isIndented ? 2 : 0),
            chunkBytes,
          );
          const read = frames.map((frame) =>
            JSON.parse(decodeUtf8(JSON.parse(frame.replace(/^\d+ text /, ''))) ?? ''),
          );
          assert.deepEqual(read, JSON.parse(JSON.stringify(list)));
        },
      ),
    );
  });

  test('names what is no object and goes on at the next line', async () => {
    assert.deepEqual(await framesOf(frameJsonObject, '[{"a":1},\n17,\n{"b":2},\n{"c":'), [
      '1 text "{\\"a\\":1}"',
      '2 bad "not an object: a JSON import is one array of objects"',
      '3 text "{\\"b\\":2}"',
      '4 bad "the object has no end"',
    ]);
  });
});

test('decodeUtf8 refuses bytes that are not UTF-8', () => {
  assert.equal(decodeUtf8('\u00c3\u00a9'), 'é');
  assert.equal(decodeUtf8('\u00ff'), undefined);
});
