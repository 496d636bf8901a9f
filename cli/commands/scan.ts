import { once } from 'node:events';
import type { Command } from 'commander';
import { localLines } from '../data/scan-local.ts';
import { usageError } from '../lib/cli-error.ts';
import { entryJson } from '../lib/entry-json.ts';
import { formatKey, previewValue } from '../lib/key-format.ts';
import { type LevelFlags, levelsOf, withReadLevel } from '../lib/level-options.ts';
import { type RangeFlags, rangeOf, withRange } from '../lib/range-options.ts';
import { type Session, withSession } from '../lib/session.ts';

const PREVIEW_CHARS_MAX = 100;

type ScanFlags = RangeFlags & LevelFlags & { readonly local?: string; readonly tombstones?: true };

export function registerScan(program: Command): void {
  withReadLevel(
    withRange(program.command('scan').description('list keys and values in the byte order of the keys')),
  )
    .option(
      '--local <node>',
      'what this member itself holds, whatever the other replicas have, with versions',
    )
    .option('--tombstones', 'with --local: deleted and expired keys too')
    .action(async (flags: ScanFlags, command: Command) => {
      if (flags.local === undefined && flags.tombstones === true)
        throw usageError('--tombstones needs --local NODE: only a replica itself knows of them');
      if (flags.local !== undefined && flags.r !== undefined)
        throw usageError('--r and --local exclude each other: --local asks one replica');
      await withSession(command, async (session) => {
        for await (const line of linesOf(session, flags))
          if (!process.stdout.write(`${line}\n`)) await once(process.stdout, 'drain');
      });
    });
}

async function* linesOf(session: Session, flags: ScanFlags): AsyncGenerator<string> {
  const { client, namespace, keyFormat, output } = session;
  const range = rangeOf(flags, keyFormat);
  if (flags.local !== undefined) {
    const query = { ...range, withTombstones: flags.tombstones === true };
    return yield* localLines(session, flags.local, query);
  }
  for await (const entry of client.scan(namespace, range, levelsOf(flags, session))) {
    const value = entry.value === undefined ? '' : `\t${previewValue(entry.value, PREVIEW_CHARS_MAX)}`;
    yield output === 'json' ? JSON.stringify(entryJson(entry)) : formatKey(entry.key, keyFormat) + value;
  }
}
