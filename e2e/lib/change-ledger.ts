import type { AdminAnswer } from './admin-request.ts';
import type { TopologyDocument, TopologyHistory } from './topology-history.ts';

type Change = { readonly member: string; readonly weight: number };

/** What was asked of the topology and what came of it; and the check that every acknowledged change is there. */
export class ChangeLedger {
  readonly #label: string;
  readonly #acknowledged: (Change & { readonly epoch: number })[] = [];
  readonly #unknown: Change[] = [];
  readonly #namespaces = new Set<string>();
  readonly #maybeNamespaces = new Set<string>();
  readonly refusals = new Map<string, number>();
  /** The highest epoch of an acknowledged change: a linearizable read that is asked for now shows at least this. */
  latestEpoch = 0;

  /** `label`: how the names of the namespaces begin that only this load makes. */
  constructor({ label }: { readonly label: string }) {
    this.#label = label;
  }

  noteChange(change: Change, answer: AdminAnswer<{ readonly epoch: number }>): void {
    if (answer.type === 'ok') {
      this.#acknowledged.push({ ...change, epoch: answer.body.epoch });
      this.latestEpoch = Math.max(this.latestEpoch, answer.body.epoch);
    } else if (answer.type === 'unknown') this.#unknown.push(change);
    else this.#countRefusal(answer.code);
  }

  noteNamespace(name: string, answer: AdminAnswer): void {
    if (answer.type === 'ok') this.#namespaces.add(name);
    else if (answer.type === 'unknown') this.#maybeNamespaces.add(name);
    else this.#countRefusal(answer.code);
  }

  #countRefusal(code: string): void {
    this.refusals.set(code, (this.refusals.get(code) ?? 0) + 1);
  }

  /** Throws where an acknowledged change is missing, or where one is there that nobody asked for. */
  verify(final: TopologyDocument, history: TopologyHistory): void {
    const names = new Set(final.namespaces.map(({ name }) => name));
    for (const name of this.#namespaces)
      if (!names.has(name)) throw new Error(`namespace ${name} was acknowledged and is lost`);
    for (const name of names)
      if (name.startsWith(this.#label) && !this.#namespaces.has(name) && !this.#maybeNamespaces.has(name))
        throw new Error(`nobody made namespace ${name}`);
    for (const { epoch, member, weight } of this.#acknowledged) {
      const found = history.weightAt(epoch, member) ?? weight;
      if (found !== weight)
        throw new Error(
          `epoch ${epoch} was acknowledged as ${member} = ${weight} and shows ${member} = ${found}`,
        );
    }
    for (const { name, weight } of final.members) this.#verifyWeight(name, weight);
  }

  #verifyWeight(name: string, weight: number): void {
    const own = this.#acknowledged.filter(({ member }) => member === name);
    const last = own.reduce((best, each) => (each.epoch > best.epoch ? each : best), {
      epoch: 0,
      weight,
    });
    // A change of unknown outcome may have come after any that was acknowledged.
    const isAllowed =
      last.weight === weight || this.#unknown.some((each) => each.member === name && each.weight === weight);
    if (!isAllowed)
      throw new Error(
        `${name} has weight ${weight}; the last one acknowledged is ${last.weight}, at epoch ${last.epoch}`,
      );
  }

  summary(): string {
    const refusals = [...this.refusals].map(([code, count]) => `${count} ${code}`).join(', ');
    const count = this.#acknowledged.length + this.#namespaces.size;
    const unknown = this.#unknown.length + this.#maybeNamespaces.size;
    return `${count} changes acknowledged, ${unknown} unknown, refused: ${refusals || 'none'}`;
  }
}
