/** What the process answers with; docs/cli.md lists them. */
export const EXIT = {
  ok: 0,
  notFound: 1,
  quorumLost: 1,
  notEqual: 1,
  cannotStop: 1,
  usage: 2,
  refused: 3,
  noConnection: 4,
  timeout: 5,
  badRecords: 6,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Ends the command with `exitCode`; `message` says what was wrong, what is allowed and what to do. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

export function usageError(message: string): CliError {
  return new CliError(EXIT.usage, message);
}
