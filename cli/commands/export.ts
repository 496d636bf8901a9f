import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import { entryJson } from '../lib/entry-json.ts';
import { type RangeFlags, rangeOf, withRange } from '../lib/range-options.ts';
import { type Session, withSession } from '../lib/session.ts';

export function registerExport(program: Command): void {
  withRange(
    program.command('export [file]').description('write a range as NDJSON, from one consistent view'),
  ).action(async (file: string | undefined, flags: RangeFlags, command: Command) => {
    await withSession(command, async (session) => {
      const lines = Readable.from(linesOf(session, flags));
      if (file === undefined || file === '-') await pipeline(lines, process.stdout, { end: false });
      else await writeWhole(lines, file);
    });
  });
}

async function* linesOf(
  { client, namespace, keyFormat }: Session,
  flags: RangeFlags,
): AsyncGenerator<string> {
  for await (const entry of client.export(namespace, rangeOf(flags, keyFormat)))
    yield `${JSON.stringify(entryJson(entry))}\n`;
}

/** `file` appears only when it is complete. */
async function writeWhole(lines: Readable, file: string): Promise<void> {
  const partial = `${file}.partial`;
  try {
    await pipeline(lines, createWriteStream(partial, { flush: true }));
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}
