import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';

/** How far an import has come, so that a second run of the same input and options goes on from there. */
export type ImportState = {
  /** Describes the input and the options; a state of another import is not used. */
  readonly fingerprint: string;
  /** Records from the beginning of the input, bad ones included, that need not be looked at again. */
  readonly recordsDone: number;
};

/** The state in `path`; undefined where there is none for this import. */
export function readImportState(path: string, fingerprint: string): ImportState | undefined {
  try {
    const state = JSON.parse(readFileSync(path, 'utf8')) as ImportState;
    return state.fingerprint === fingerprint && Number.isSafeInteger(state.recordsDone) ? state : undefined;
  } catch {
    return undefined;
  }
}

export function writeImportState(path: string, state: ImportState): void {
  writeFileSync(`${path}.new`, JSON.stringify(state));
  renameSync(`${path}.new`, path);
}

export function removeImportState(path: string): void {
  rmSync(path, { force: true });
}
