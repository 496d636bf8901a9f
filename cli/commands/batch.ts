import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import type { BatchOperation, BatchResult } from '@kvorum/client';
import type { Command } from 'commander';
import { batchJson, batchLine, parseOperations } from '../data/batch-text.ts';
import { CliError, EXIT, usageError } from '../lib/cli-error.ts';
import { type LevelFlags, levelsOf, withWriteLevels } from '../lib/level-options.ts';
import { print, type Session, withSession } from '../lib/session.ts';

const OPERATIONS_MAX = 1000;

export function registerBatch(program: Command): void {
  withWriteLevels(
    program
      .command('batch [file]')
      .description(
        'run operations, one a line: {"op": "put", "key": "a", "value": "1"}; - or no file reads standard input',
      ),
  ).action(async (file: string | undefined, flags: LevelFlags, command: Command) => {
    const operations = parseOperations(await inputOf(file));
    await withSession(command, async (session) => {
      const failed = await runBatch(session, operations, flags);
      if (failed > 0)
        throw new CliError(
          EXIT.refused,
          `${failed} of ${operations.length} operations failed; the others are done`,
        );
    });
  });
}

async function inputOf(file: string | undefined): Promise<string> {
  if (file !== undefined && file !== '-') return await readFile(file, 'utf8');
  if (file === undefined && process.stdin.isTTY)
    throw usageError('no operations: give a file, or - to type them');
  return await text(process.stdin);
}

/** In requests of as many operations as a node takes; prints each result, and gives the number of those that failed. */
async function runBatch(
  session: Session,
  operations: readonly BatchOperation[],
  flags: LevelFlags,
): Promise<number> {
  const { client, namespace, output, keyFormat } = session;
  let failed = 0;
  for (let at = 0; at < operations.length; at += OPERATIONS_MAX) {
    const part = operations.slice(at, at + OPERATIONS_MAX);
    const results = await client.batch(namespace, part, levelsOf(flags, session));
    for (const [index, result] of results.entries()) {
      const operation = part[index] as BatchOperation;
      print(
        `${output === 'json' ? batchJson(operation, result) : batchLine(operation, result, keyFormat)}\n`,
      );
    }
    failed += results.filter((result: BatchResult) => !result.ok).length;
  }
  return failed;
}
