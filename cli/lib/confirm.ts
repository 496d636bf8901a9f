import { createInterface } from 'node:readline/promises';
import { CliError, EXIT, usageError } from './cli-error.ts';

/** Returns where a person at a terminal says yes, or said so beforehand with --yes; throws CliError otherwise. */
export async function confirm(question: string, isConfirmed: boolean): Promise<void> {
  if (isConfirmed) return;
  if (process.stdin.isTTY !== true)
    throw usageError(`${question} Nobody can be asked here: confirm with --yes.`);
  if (!/^y(es)?$/i.test(await ask(`${question} [y/N] `))) throw new CliError(EXIT.usage, 'nothing was done');
}

/** What was typed; nothing where it was Ctrl-C or Ctrl-D. */
async function ask(question: string): Promise<string> {
  using prompt = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await prompt.question(question)).trim();
  } catch (error) {
    if ((error as Error).name !== 'AbortError') throw error;
    process.stderr.write('\n');
    return '';
  }
}
