/** A call on a client after its `close()`: a bug of the caller, no failure of the node. */
class ClientClosedError extends Error {
  override readonly name = 'ClientClosedError';
  constructor() {
    super('the client is closed');
  }
}

/** Counts the calls under way, so that a client can be closed behind them. */
export class InFlight {
  #count = 0;
  #isClosed = false;
  #onIdle: (() => void) | undefined;

  /** The call ends where this is disposed of. Throws once the client is closed. */
  enter(): Disposable {
    if (this.#isClosed) throw new ClientClosedError();
    this.#count += 1;
    return { [Symbol.dispose]: () => this.#leave() };
  }

  /** Refuses further calls; resolves once none is under way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#count === 0) return;
    await new Promise<void>((resolve) => {
      const before = this.#onIdle;
      this.#onIdle = () => {
        before?.();
        resolve();
      };
    });
  }

  #leave(): void {
    this.#count -= 1;
    if (this.#count === 0) this.#onIdle?.();
  }
}
