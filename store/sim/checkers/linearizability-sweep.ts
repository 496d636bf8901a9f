import { Heap } from '../../core/heap/heap.ts';
import { FOREVER, type Placed, type Sorted } from './linearizability-clusters.ts';
import { isZone, touchesZone, type Zone, zoneAt } from './linearizability-zones.ts';
import type { Read } from './register-operation.ts';

/**
 * Which delete explains which read of nothing? The zones of values leave gaps; whatever is not within a zone is put into
 * them: reads of nothing where the key is absent, puts where it need not be, and each turn from a value to nothing
 * takes a delete that is under way then. One pass in the order of time decides it, since waiting never hurts: a put turns
 * the key to its value, and a delete turns it to nothing, when some operation would else come to its end in vain. Of the
 * deletes under way the one that ends first is taken. A delete that comes to its end serves everybody that is open: the
 * puts before it, the reads after it; it leaves the key absent, from where the next put that begins can turn it at once.
 *
 * Puts that touch a zone take effect at its edge and matter to nobody, and so do all deletes but those taken.
 */
export function findUnexplainedAbsence(
  { clusters, deletes, absences }: Sorted,
  zones: readonly Zone[],
): Placed<Read> | undefined {
  const sweep = new Sweep();
  const events: Event[] = zones.map(({ from }) => ({ at: from, turn: 3, act: () => sweep.value(from) }));
  for (const { firstEnd, lastBegin, ...cluster } of clusters) {
    const [from, to] = [lastBegin.begin, firstEnd.end];
    if (isZone({ firstEnd, lastBegin, ...cluster }) || touchesZone(zones, from, to)) continue;
    events.push({ at: to, turn: 2, act: () => sweep.putEnds(from, to) });
  }
  for (const { begin, end } of deletes) {
    const open = { from: outside(zones, begin, 'to'), to: outside(zones, end, 'from'), isTaken: false };
    events.push({ at: open.from, turn: -1, act: () => sweep.deleteBegins(open) });
    if (open.to !== FOREVER) events.push({ at: open.to, turn: 0, act: () => sweep.deleteEnds(open) });
  }
  for (const read of absences) {
    const [from, to] = [outside(zones, read.begin, 'to'), outside(zones, read.end, 'from')];
    events.push({ at: to, turn: 1, act: () => sweep.readEnds(read, from, to) });
  }
  events.sort((a, b) => a.at - b.at || a.turn - b.turn);
  for (const { act } of events) {
    act();
    if (sweep.unexplained !== undefined) return sweep.unexplained;
  }
  return undefined;
}

/** `turn` orders what is at the edge of a zone. */
type Event = { readonly at: number; readonly turn: number; readonly act: () => void };

/** `place`, or the edge of the zone around it. */
function outside(zones: readonly Zone[], place: number, edge: 'from' | 'to'): number {
  return zoneAt(zones, place)?.[edge] ?? place;
}

type OpenDelete = { readonly from: number; readonly to: number; isTaken: boolean };

class Sweep {
  unexplained: Placed<Read> | undefined;
  #isAbsent = true;
  /** Where the key last turned from nothing to a value, or had one; and from a value to nothing, or was absent. */
  #lastValue = -1;
  #lastAbsent = -1;
  readonly #open = new Heap<OpenDelete>((a, b) => a.to < b.to);

  value(at: number): void {
    if (this.#isAbsent) this.#lastAbsent = at;
    this.#isAbsent = false;
    this.#lastValue = at;
  }

  putEnds(from: number, to: number): void {
    if (this.#isAbsent && this.#lastValue < from) this.value(to);
  }

  deleteBegins(open: OpenDelete): void {
    this.#open.push(open);
  }

  deleteEnds(open: OpenDelete): void {
    if (open.isTaken) return;
    this.#take(open, open.to);
  }

  readEnds(read: Placed<Read>, from: number, to: number): void {
    if (this.#isAbsent || this.#lastAbsent >= from) return;
    let open = this.#open.pop();
    while (open !== undefined && (open.isTaken || open.to < to)) open = this.#open.pop();
    if (open === undefined) this.unexplained = read;
    else this.#take(open, to);
  }

  #take(open: OpenDelete, at: number): void {
    open.isTaken = true;
    this.#isAbsent = true;
    this.#lastValue = at;
  }
}
