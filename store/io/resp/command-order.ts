import { KeyOrder } from '../../core/resp/key-order.ts';
import type { Call } from './call.ts';

/**
 * Which commands of a connection are under way, and which may join them (`KeyOrder`). A client that waits for each answer has one at a
 * time: no keys are compared for it, and none are made into names.
 */
export class CommandOrder {
  readonly #keys = new KeyOrder();
  #open = 0;
  /** Under way, with nothing beside it. */
  #alone: Call | undefined;
  /** The only one under way, whose keys nobody has asked for yet. */
  #only: Call | undefined;

  /** Commands under way, without an answer yet. */
  get open(): number {
    return this.#open;
  }

  mayBegin(call: Call): boolean {
    if (this.#open === 0) return true;
    if (this.#alone !== undefined || call.isAlone) return false;
    this.#note();
    return this.#keys.allows(call.keys, call.isWrite);
  }

  begin(call: Call): void {
    if (call.isAlone) this.#alone = call;
    if (this.#open === 0) this.#only = call;
    else {
      this.#note();
      this.#keys.begin(call.keys, call.isWrite);
    }
    this.#open += 1;
  }

  end(call: Call): void {
    this.#open -= 1;
    if (this.#alone === call) this.#alone = undefined;
    if (this.#only === call) this.#only = undefined;
    else this.#keys.end(call.keys, call.isWrite);
  }

  #note(): void {
    const only = this.#only;
    if (only === undefined) return;
    this.#only = undefined;
    this.#keys.begin(only.keys, only.isWrite);
  }
}
