import { createInterface } from 'node:readline/promises';
import { CliError, EXIT, usageError } from './cli-error.ts';

/** Returns where a person at a terminal says yes, or said so beforehand with --yes; throws CliError otherwise. */
export async function confirm(question: string, isConfirmed: boolean): Promise<void> {
  if (isConfirmed) return;
  if (process.stdin.isTTY !== true)
    throw usageError(`${question} Nobody can be asked here: confirm with --yes.`);
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await prompt.question(`${question} [y/N] `);
  prompt.close();
  if (!/^y(es)?$/i.test(answer.trim())) throw new CliError(EXIT.usage, 'nothing was done');
}
