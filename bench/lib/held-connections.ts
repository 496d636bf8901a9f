import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Connections that were used once and stay open. */
export type HeldConnections = { readonly count: number; close(): Promise<void> };

/** Opens connections for clients of Redis by bench/resp-load; resolves when each of them has been answered a PING. */
export async function holdConnections(
  binary: string,
  endpoint: string,
  count: number,
): Promise<HeldConnections> {
  const args = [`--endpoints=${endpoint}`, `--clients=${count}`, '--hold'];
  const child = spawn(binary, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const first = Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
  const [told] = (await first) as [unknown];
  const held = Number(/^held (\d+)/.exec(String(told))?.[1]);
  if (held !== count)
    throw new Error(
      `${held} of ${count} connections are held: the limit of open files may be in the way (ulimit -n)`,
    );
  return {
    count,
    async close() {
      child.stdin.end();
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}
