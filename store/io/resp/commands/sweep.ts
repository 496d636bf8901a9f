import type { ScanRange } from '../../../storage/kv-store.ts';
import type { Call } from '../call.ts';
import { CommandError } from '../command-error.ts';

/** All keys of a range, page by page, for as long as the client is there. Few of these run at once: each reads all the data. */
export async function sweep(call: Call, range: ScanRange, visit: (key: Uint8Array) => void): Promise<void> {
  const { inFlight, options, store } = call.context;
  if (inFlight.sweeps >= options.sweepsMax)
    throw new CommandError(
      `TRYAGAIN OVERLOADED ${inFlight.sweeps} commands look at all keys now, and so many are allowed; try again, or use SCAN`,
    );
  inFlight.sweeps += 1;
  try {
    for await (const page of store.scanAll(call.session.namespace, range)) {
      if (call.session.isGone) return;
      for (const { key } of page) visit(key);
    }
  } finally {
    inFlight.sweeps -= 1;
  }
}
