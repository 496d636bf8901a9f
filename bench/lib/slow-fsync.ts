import { execFileSync } from 'node:child_process';
import { closeSync, openSync, writeSync } from 'node:fs';
import { ensureDebianPackage } from '../../e2e/lib/debian.ts';

/** A disk whose fsyncs take longer, for one process that is started with `environment`. */
export type SlowFsync = {
  readonly environment: Readonly<Record<string, string>>;
  /** From now on, also for a process that runs already. */
  setDelayMs(delayMs: number): void;
  [Symbol.dispose](): void;
};

/** Compiles the library that delays; `directory` holds it and the file that says by how much. */
export function prepareSlowFsync(directory: string): SlowFsync {
  ensureDebianPackage('gcc', '/usr/bin/gcc');
  ensureDebianPackage('libc6-dev', '/usr/include/unistd.h');
  const library = `${directory}/slow-fsync.so`;
  execFileSync('gcc', ['-O2', '-shared', '-fPIC', '-o', library, 'bench/lib/slow-fsync.c', '-ldl']);
  const delayFile = `${directory}/fsync-delay`;
  const file = openSync(delayFile, 'w+');
  const setDelayMs = (delayMs: number): void => {
    const bytes = new Uint8Array(Uint32Array.of(delayMs * 1000).buffer);
    writeSync(file, bytes, 0, bytes.length, 0);
  };
  setDelayMs(0);
  return {
    environment: { LD_PRELOAD: library, FSYNC_DELAY_FILE: delayFile },
    setDelayMs,
    [Symbol.dispose]: () => closeSync(file),
  };
}
