import { appendFileSync, createReadStream, type Stats, statSync, writeFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { createRecordReader } from '../import/import-record.ts';
import {
  type ImportState,
  readImportState,
  removeImportState,
  writeImportState,
} from '../import/import-state.ts';
import { formatOfFile, INPUT_FORMATS, type InputFormat } from '../import/input-format.ts';
import { type ImportCounts, runImport } from '../import/run-import.ts';
import { CliError, EXIT, usageError } from '../lib/cli-error.ts';
import { formatCount, Progress } from '../lib/progress.ts';
import { printJson, type Session, withSession } from '../lib/session.ts';

type ImportFlags = {
  readonly format?: InputFormat;
  readonly key?: string;
  readonly value?: string;
  readonly state?: string;
  readonly errors?: string;
};

const BAD_SHOWN_MAX = 20;
const STATE_WRITE_MS = 250;

export function registerImport(program: Command): void {
  program
    .command('import')
    .description('write the records of a file; run again after an interruption, it goes on where it was')
    .argument('<file>', 'the file; - reads standard input, and needs --format')
    .addOption(
      new Option('--format <format>', 'of the input; else told by the name of the file').choices(
        INPUT_FORMATS,
      ),
    )
    .option('--key <template>', 'a column, or a template such as {country}/{name}')
    .option('--value <column>', 'the column that is the value; else the whole record as JSON')
    .option('--state <file>', 'where progress is kept; FILE.kvorum-import unless told')
    .option('--errors <file>', 'write every bad record there, with its line and the reason')
    .action(async (file: string, flags: ImportFlags, command: Command) => {
      await withSession(command, (session) => importFile(session, file, flags));
    });
}

async function importFile(session: Session, file: string, flags: ImportFlags): Promise<void> {
  const isPipe = file === '-';
  if (isPipe && flags.format === undefined)
    throw usageError(`standard input has no name: give --format ${INPUT_FORMATS.join(', ')}`);
  const format = flags.format ?? formatOfFile(file);
  const stats = isPipe ? undefined : fileStats(file);
  const resume = openResume(session, file, format, flags, stats);
  const bad = openBadRecords(flags.errors);
  const progress = new Progress(process.stderr, () => performance.now());
  const startMs = performance.now();
  const counts = await runImport({
    client: session.client,
    namespace: session.namespace,
    format,
    input: isPipe ? (process.stdin as AsyncIterable<Buffer>) : createReadStream(file),
    recordsDone: resume.recordsDone,
    recordOf: createRecordReader({ format, key: flags.key, value: flags.value, nowMs: Date.now() }),
    onBad(line, reason) {
      progress.clear();
      bad.add(line, reason);
    },
    onProgress(now) {
      resume.note(now.recordsDone);
      const done = {
        noun: 'records',
        count: resume.recordsDone + now.imported,
        countBefore: resume.recordsDone,
      };
      progress.update({
        ...done,
        bytes: now.inputBytes,
        bytesTotal: stats?.size,
        elapsedMs: performance.now() - startMs,
      });
    },
  });
  progress.clear();
  resume.finish();
  summarise(session, counts, resume.recordsDone, (performance.now() - startMs) / 1000);
  if (counts.bad > 0)
    throw new CliError(
      EXIT.badRecords,
      `${formatCount(counts.bad)} bad records were left out; the others are imported`,
    );
}

function fileStats(file: string): Stats {
  try {
    return statSync(file);
  } catch (error) {
    throw usageError(`the file '${file}' cannot be read: ${(error as Error).message}`);
  }
}

/** Keeps the state file; a pipe cannot be read again, and has none. */
function openResume(
  session: Session,
  file: string,
  format: InputFormat,
  flags: ImportFlags,
  stats: Stats | undefined,
) {
  const path = flags.state ?? `${file}.kvorum-import`;
  const { key, value } = flags;
  const fingerprint = JSON.stringify({
    size: stats?.size,
    mtimeMs: stats?.mtimeMs,
    format,
    key,
    value,
    url: session.url,
    namespace: session.namespace,
  });
  const found: ImportState | undefined = stats === undefined ? undefined : readImportState(path, fingerprint);
  if (found !== undefined)
    process.stderr.write(`going on after ${formatCount(found.recordsDone)} records (${path})\n`);
  let notedMs = performance.now();
  return {
    recordsDone: found?.recordsDone ?? 0,
    note(recordsDone: number) {
      if (stats === undefined || performance.now() - notedMs < STATE_WRITE_MS) return;
      notedMs = performance.now();
      writeImportState(path, { fingerprint, recordsDone });
    },
    finish() {
      if (stats !== undefined) removeImportState(path);
    },
  };
}

/** Says the first bad records, and writes all of them to `path`. */
function openBadRecords(path: string | undefined): { add(line: number, reason: string): void } {
  if (path !== undefined) writeFileSync(path, '');
  let shown = 0;
  return {
    add(line, reason) {
      if (path !== undefined) appendFileSync(path, `${JSON.stringify({ line, reason })}\n`);
      shown += 1;
      if (shown <= BAD_SHOWN_MAX) process.stderr.write(`line ${line}: ${reason}\n`);
      if (shown === BAD_SHOWN_MAX)
        process.stderr.write('further bad records are counted; --errors FILE keeps all\n');
    },
  };
}

function summarise(session: Session, counts: ImportCounts, resumed: number, seconds: number): void {
  const { imported, bad } = counts;
  if (session.output === 'json') {
    printJson({ imported, bad, resumedAfter: resumed, seconds: Number(seconds.toFixed(3)) });
    return;
  }
  const rate = formatCount(imported / Math.max(seconds, 0.001));
  process.stderr.write(
    `imported ${formatCount(imported)} records in ${seconds.toFixed(1)} s (${rate} a second), ${formatCount(bad)} bad\n`,
  );
}
