import { clean, down } from './down.ts';
import { logs } from './logs.ts';
import { scale } from './scale.ts';
import { status } from './status.ts';
import { up } from './up.ts';

/** Runs one command and returns the exit code. */
export async function localCluster(command: string, args: readonly string[]): Promise<number> {
  switch (command) {
    case 'up':
      return up(args);
    case 'scale':
      return scale(args);
    case 'down':
      return down();
    case 'status':
      return status();
    case 'logs':
      return logs(args);
    case 'clean':
      return clean(args);
    default:
      process.stderr.write(`unknown command '${command}': up, scale, down, status, logs or clean\n`);
      return 2;
  }
}
