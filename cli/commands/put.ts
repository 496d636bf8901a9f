import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import type { Command } from 'commander';
import { usageError } from '../lib/cli-error.ts';
import { parseKey } from '../lib/key-format.ts';
import { type LevelFlags, levelsOf, withWriteLevels } from '../lib/level-options.ts';
import { numberBetween } from '../lib/parse-option.ts';
import { printJson, withSession } from '../lib/session.ts';

const TTL_SECONDS_MAX = 3_153_600_000;

type PutFlags = LevelFlags & {
  readonly file?: string;
  readonly ttl?: number;
  readonly contentType?: string;
};

export function registerPut(program: Command): void {
  withWriteLevels(program.command('put <key> [value]'))
    .description('store a value; - or no value reads it from standard input')
    .option('--file <file>', 'take the value from a file')
    .option('--ttl <seconds>', 'expire after this time', numberBetween(1, TTL_SECONDS_MAX))
    .option('--content-type <type>', 'kept beside the value')
    .action(async (key: string, value: string | undefined, flags: PutFlags, command: Command) => {
      const bytes = await valueFrom(value, flags.file);
      await withSession(command, async (session) => {
        const { client, namespace, keyFormat, output } = session;
        const stored = await client.put(namespace, parseKey(key, keyFormat), bytes, {
          ...(flags.ttl !== undefined && { ttlSeconds: flags.ttl }),
          ...(flags.contentType !== undefined && { contentType: flags.contentType }),
          ...levelsOf(flags, session),
        });
        if (output === 'json') printJson(stored);
      });
    });
}

async function valueFrom(value: string | undefined, file: string | undefined): Promise<Uint8Array> {
  if (value !== undefined && file !== undefined)
    throw usageError('both a value and --file are given; give one of them');
  if (file !== undefined) return await readFile(file);
  if (value !== undefined && value !== '-') return Buffer.from(value);
  if (value === undefined && process.stdin.isTTY)
    throw usageError('no value: give one, or --file FILE, or - to type it');
  return await buffer(process.stdin);
}
