import { ensureDebianPackage } from './debian.ts';

const FAKETIME = `/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu/faketime/libfaketime.so.1`;

/** libfaketime, which moves the clock of one process; installs it where that is possible. */
export function ensureFaketime(): void {
  ensureDebianPackage('faketime', FAKETIME);
}

/** For a process whose wall clock is off by `offset`, e.g. `+30s`; its monotonic clock is left alone. */
export function faketimeEnvironment(offset: string): Readonly<Record<string, string>> {
  return { LD_PRELOAD: FAKETIME, FAKETIME: offset, FAKETIME_DONT_FAKE_MONOTONIC: '1' };
}
