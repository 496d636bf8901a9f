import type { Entry } from '../../core/raft/types.ts';
import { asBuffer } from '../../storage/checksum.ts';

/** What an entry says, without its position: equal texts are equal contents. */
export function textOfEntry(entry: Entry): string {
  switch (entry.type) {
    case 'no-op':
      return 'no-op';
    case 'command':
      return asBuffer(entry.data).toString('latin1');
    case 'config':
      return JSON.stringify(entry.configuration);
  }
}
