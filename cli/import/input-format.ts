import { usageError } from '../lib/cli-error.ts';
import type { Framer } from './frame.ts';
import { frameCsv } from './frame-csv.ts';
import { frameJsonObject } from './frame-json-array.ts';
import { frameLine, frameTsv } from './frame-line.ts';

export const INPUT_FORMATS = ['csv', 'tsv', 'ndjson', 'json', 'lines'] as const;
export type InputFormat = (typeof INPUT_FORMATS)[number];

const BY_EXTENSION: Readonly<Record<string, InputFormat>> = {
  csv: 'csv',
  tsv: 'tsv',
  tab: 'tsv',
  ndjson: 'ndjson',
  jsonl: 'ndjson',
  json: 'json',
  txt: 'lines',
};

/** The format of a file by the end of its name. */
export function formatOfFile(path: string): InputFormat {
  const extension = /\.([^./\\]+)$/.exec(path.toLowerCase())?.[1] ?? '';
  const format = BY_EXTENSION[extension];
  if (format !== undefined) return format;
  throw usageError(
    `the format of '${path}' cannot be told by its name; give --format ${INPUT_FORMATS.join(', ')}`,
  );
}

export function framerOf(format: InputFormat): Framer {
  switch (format) {
    case 'csv':
      return frameCsv;
    case 'tsv':
      return frameTsv;
    case 'json':
      return frameJsonObject;
    case 'ndjson':
    case 'lines':
      return frameLine;
  }
}
