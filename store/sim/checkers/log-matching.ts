import type { Message } from '../../core/raft/messages.ts';
import type { Entry, Term } from '../../core/raft/types.ts';
import type { DiskLog } from '../world/disk-log.ts';
import { textOfEntry } from './entry-text.ts';
import { once, requireOf } from './violation.ts';

const require = requireOf('log matching');

type Seen = { readonly text: string; readonly previous: Term | undefined };

/** Log Matching (paper figure 3), by induction: a position has one content and one predecessor, on wires and disks. */
export class LogMatching {
  readonly #entries = new Map<string, Seen>();

  sent(message: Message): void {
    if (message.type !== 'append') return;
    let previous: Term | undefined = message.previous.term;
    for (const entry of message.entries) {
      this.#match(entry, previous);
      previous = entry.term;
    }
  }

  persisted(log: DiskLog, fresh: readonly Entry[]): void {
    for (const entry of fresh) this.#match(entry, termBefore(log, entry));
  }

  #match(entry: Entry, previous: Term | undefined): void {
    const at = `${entry.index}@${entry.term}`;
    const text = textOfEntry(entry);
    const known = once(this.#entries, at, { text, previous });
    require(known.text === text, () => `two contents at ${at}: ${known.text} and ${text}`);
    if (previous === undefined) return;
    if (known.previous === undefined) this.#entries.set(at, { text, previous });
    else
      require(known.previous === previous, () =>
        `two histories at ${at}: after terms ${known.previous} and ${previous}`);
  }
}

function termBefore({ entries, pointer }: DiskLog, { index }: Entry): Term | undefined {
  if (pointer !== undefined && index === pointer.index + 1) return pointer.term;
  return entries.get((index - 1) as Entry['index'])?.term;
}
