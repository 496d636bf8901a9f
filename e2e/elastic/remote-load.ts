import { type ChildProcess, fork } from 'node:child_process';
import type { CommandName, Commands, Reply } from './commands.ts';

const SCRIPT = `${import.meta.dirname}/load-process.ts`;

/** The load in a process of its own; see ElasticLoad for what it is told. */
export class RemoteLoad implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve(answer: unknown): void; reject(error: Error): void }>();
  #ids = 0;

  constructor() {
    this.#child = fork(SCRIPT);
    this.#child.on('message', ({ id, answer, error }: Reply) => {
      const asker = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) asker?.resolve(answer);
      else asker?.reject(new Error(error));
    });
    this.#child.once('exit', (code, signal) => {
      for (const { reject } of this.#waiting.values())
        reject(new Error(`the process of the load ended with ${code ?? signal}`));
    });
  }

  ask<N extends CommandName>(
    name: N,
    ...[ask]: Commands[N]['ask'] extends undefined ? [] : [Commands[N]['ask']]
  ): Promise<Commands[N]['answer']> {
    const id = this.#ids++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (answer: unknown) => void, reject });
      this.#child.send({ id, name, ask });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await ended;
  }
}
