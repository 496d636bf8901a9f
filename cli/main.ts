import { CommanderError } from 'commander';
import { EXIT } from './lib/cli-error.ts';
import { failureOf } from './lib/failure.ts';
import { buildProgram, overrideExit } from './program.ts';

/** `kvorum COMMAND`. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(EXIT.ok); // the reader, such as head, has seen enough
});

try {
  const program = buildProgram();
  if (isServerCommand(process.argv.slice(2))) {
    const { registerServerCommands } = await import('./server-commands.ts');
    registerServerCommands(program);
    overrideExit(program);
  }
  await program.parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
}

/** These load the whole server; the other commands start without it. Help names them too. */
function isServerCommand(args: readonly string[]): boolean {
  const names = ['server', 'config', 'recover', 'operator', 'help', '--help', '-h', 'completion'];
  const printsHelp = args.length === 0 || args.at(-1) === 'cluster';
  return printsHelp || args.some((arg) => names.includes(arg));
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const failure = failureOf(error);
  if (failure === undefined) throw error;
  process.stderr.write(`kvorum: ${failure.message}\n`);
  return failure.exitCode;
}
