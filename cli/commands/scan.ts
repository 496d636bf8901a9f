import { once } from 'node:events';
import type { Command } from 'commander';
import { entryJson } from '../lib/entry-json.ts';
import { formatKey, previewValue } from '../lib/key-format.ts';
import { type RangeFlags, rangeOf, withRange } from '../lib/range-options.ts';
import { withSession } from '../lib/session.ts';

const PREVIEW_CHARS_MAX = 100;

export function registerScan(program: Command): void {
  withRange(program.command('scan').description('list keys and values in the byte order of the keys')).action(
    async (flags: RangeFlags, command: Command) => {
      await withSession(command, async ({ client, namespace, keyFormat, output }) => {
        for await (const entry of client.scan(namespace, rangeOf(flags, keyFormat))) {
          const value = entry.value === undefined ? '' : `\t${previewValue(entry.value, PREVIEW_CHARS_MAX)}`;
          const line =
            output === 'json' ? JSON.stringify(entryJson(entry)) : formatKey(entry.key, keyFormat) + value;
          if (!process.stdout.write(`${line}\n`)) await once(process.stdout, 'drain');
        }
      });
    },
  );
}
