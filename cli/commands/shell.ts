import { appendFileSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { createInterface } from 'node:readline';
import type { Command } from 'commander';
import { EXIT, type ExitCode } from '../lib/cli-error.ts';
import { failureOf } from '../lib/failure.ts';
import { print, type Session, withSession } from '../lib/session.ts';
import { completeLine } from '../shell/complete-line.ts';
import { runLine, type ShellState } from '../shell/run-line.ts';

const HISTORY_LINES_MAX = 1000;

export function registerShell(program: Command): void {
  program
    .command('shell')
    .description('an interactive shell with history and completion; also reads commands from a pipe')
    .action(async (_flags: unknown, command: Command) => {
      await withSession(command, async (session) => {
        const code = await runShell(session);
        if (code !== EXIT.ok) process.exitCode = code;
      });
    });
}

/** Reads lines until `exit` or the end of the input; the exit code of the last failure in a pipe, 0 on a terminal. */
async function runShell(session: Session): Promise<ExitCode> {
  const isTerminal = process.stdin.isTTY === true;
  const state: ShellState = { session, namespace: session.namespace, isDone: false };
  const lines = createInterface({
    input: process.stdin,
    ...(isTerminal && { output: process.stdout, history: readHistory() }),
    completer: (line: string, done: (error: null, result: [string[], string]) => void) => {
      completeLine(state, line).then(
        (result) => done(null, result),
        () => done(null, [[], line]),
      );
    },
  });
  let lastFailure: ExitCode = EXIT.ok;
  const prompt = (): void => {
    lines.setPrompt(`kvorum:${state.namespace}> `);
    if (isTerminal) lines.prompt();
  };
  if (isTerminal) print('help lists the commands; exit or Ctrl-D leaves\n');
  prompt();
  for await (const line of lines) {
    if (isTerminal && line.trim() !== '') remember(line);
    lastFailure = (await runOrSay(state, line)) ?? lastFailure;
    if (state.isDone) break;
    prompt();
  }
  lines.close();
  return isTerminal ? EXIT.ok : lastFailure;
}

/** The exit code of what went wrong, which is said and does not end the shell. */
async function runOrSay(state: ShellState, line: string): Promise<ExitCode | undefined> {
  try {
    await runLine(state, line);
    return undefined;
  } catch (error) {
    const failure = failureOf(error);
    if (failure === undefined) throw error;
    process.stderr.write(`${failure.message}\n`);
    return failure.exitCode;
  }
}

function historyFile(): string {
  return process.env.KVORUM_HISTORY ?? `${homedir()}/.kvorum_history`;
}

/** Newest first, as readline wants it. A history that cannot be read is none. */
function readHistory(): string[] {
  try {
    return readFileSync(historyFile(), 'utf8').trimEnd().split('\n').slice(-HISTORY_LINES_MAX).toReversed();
  } catch {
    return [];
  }
}

function remember(line: string): void {
  try {
    appendFileSync(historyFile(), `${line}\n`, { mode: 0o600 });
  } catch {
    // A history that cannot be kept is no reason to fail a command.
  }
}
