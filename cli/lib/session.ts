import type { KvorumClient } from '@kvorum/client';
import type { Command } from 'commander';
import type { KeyFormat } from './key-format.ts';
import { type ConnectionOptions, newClient } from './new-client.ts';

export type GlobalOptions = ConnectionOptions & {
  readonly namespace: string;
  readonly output: 'text' | 'json';
  readonly color: boolean;
  readonly keyFormat: KeyFormat;
};

/** What a command that talks to a node works with. */
export type Session = GlobalOptions & {
  readonly client: KvorumClient;
  /** --timeout where it was given, and is no default. */
  readonly givenTimeoutMs?: number;
};

/** Runs `work` with a client that is closed behind it. */
export async function withSession(
  command: Command,
  work: (session: Session) => Promise<void>,
): Promise<void> {
  const options = command.optsWithGlobals<GlobalOptions>();
  await using client = newClient(options);
  const isGiven = command.getOptionValueSourceWithGlobals('timeout') === 'cli';
  await work({ ...options, client, ...(isGiven && { givenTimeoutMs: options.timeout }) });
}

export function print(text: string): void {
  process.stdout.write(text);
}

export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** Whether `stream` may be coloured: a terminal, and neither --no-color nor NO_COLOR. */
export function hasColors(
  options: { readonly color: boolean },
  stream: { readonly isTTY?: boolean },
): boolean {
  return options.color && stream.isTTY === true && !process.env.NO_COLOR;
}
