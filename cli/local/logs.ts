import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type LocalNode, localNodes } from './local-node.ts';

const LOOK_MS = 200;

/** `logs [i] [-f]`: the log of the i-th node, or those of all with the name in front of each line. */
export async function logs(args: readonly string[]): Promise<number> {
  const wanted = args.find((arg) => arg !== '-f');
  const nodes = localNodes().filter((node) => wanted === undefined || String(node.index) === wanted);
  const tails = nodes.filter((node) => existsSync(node.logFile)).map((node) => new LogTail(node));
  if (tails.length === 0) {
    const which = wanted === undefined ? 'log' : `log of a node ${wanted}`;
    process.stderr.write(`there is no ${which} yet: ./dev.sh up starts nodes\n`);
    return 1;
  }
  const print = (): void => {
    for (const tail of tails)
      for (const line of tail.lines())
        process.stdout.write(wanted === undefined ? `${tail.name}  ${line}\n` : `${line}\n`);
  };
  print();
  while (args.includes('-f')) {
    await sleep(LOOK_MS);
    print();
  }
  return 0;
}

/** What was added to a log since the last look, in whole lines. */
class LogTail {
  readonly name: string;
  readonly #file: string;
  #offset = 0;

  constructor(node: LocalNode) {
    this.name = node.name;
    this.#file = node.logFile;
  }

  lines(): readonly string[] {
    const file = openSync(this.#file, 'r');
    try {
      const added = Buffer.alloc(Math.max(0, fstatSync(file).size - this.#offset));
      const text = added.subarray(0, readSync(file, added, 0, added.length, this.#offset));
      const end = text.lastIndexOf('\n') + 1;
      this.#offset += end;
      return end === 0
        ? []
        : text
            .subarray(0, end - 1)
            .toString()
            .split('\n');
    } finally {
      closeSync(file);
    }
  }
}
