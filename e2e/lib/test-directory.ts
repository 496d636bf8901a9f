import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';

/** A directory that is gone when its scope ends. */
export class TestDirectory implements Disposable {
  readonly path: string;

  constructor() {
    this.path = mkdtempSync(`${tmpdir()}/kvorum-e2e-`);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
