import { LeanHttpClient } from '../../bench/lib/lean-http-client.ts';

/** Who does not answer is asked again after so long. */
const DOWN_MS = 500;

type Target = { readonly port: number; readonly idle: LeanHttpClient[]; open: number; downUntilMs: number };

export type Lease = { readonly client: LeanHttpClient; readonly target: Target };

/** Connections to the nodes that may be asked, some for each, handed out in turn. */
export class Targets {
  readonly #connectionsEach: number;
  #targets: readonly Target[] = [];
  #turn = 0;

  constructor({ connectionsEach }: { readonly connectionsEach: number }) {
    this.#connectionsEach = connectionsEach;
  }

  /** Nodes that are not named any more get no further request; what is under way there goes on. */
  set(ports: readonly number[]): void {
    const known = new Map(this.#targets.map((target) => [target.port, target]));
    this.#targets = ports.map((port) => known.get(port) ?? { port, idle: [], open: 0, downUntilMs: 0 });
    for (const target of known.values()) if (!ports.includes(target.port)) closeIdle(target);
  }

  /** Undefined where all connections are in use. */
  take(): Lease | undefined {
    const nowMs = performance.now();
    for (let i = 0; i < this.#targets.length; i++) {
      this.#turn = (this.#turn + 1) % this.#targets.length;
      const target = this.#targets[this.#turn] as Target;
      const client = target.downUntilMs > nowMs ? undefined : this.#connectionTo(target);
      if (client !== undefined) return { client, target };
    }
    return undefined;
  }

  giveBack({ client, target }: Lease): void {
    if (this.#targets.includes(target)) target.idle.push(client);
    else client.close();
  }

  /** The connection broke. */
  drop({ client, target }: Lease): void {
    client.close();
    closeIdle(target);
    target.open -= 1;
    target.downUntilMs = performance.now() + DOWN_MS;
  }

  close(): void {
    for (const target of this.#targets) closeIdle(target);
  }

  #connectionTo(target: Target): LeanHttpClient | undefined {
    for (;;) {
      const client = target.idle.pop();
      if (client === undefined) break;
      if (!client.isBroken) return client;
      target.open -= 1;
    }
    if (target.open >= this.#connectionsEach) return undefined;
    target.open += 1;
    return new LeanHttpClient(target.port);
  }
}

function closeIdle(target: Target): void {
  target.open -= target.idle.length;
  for (const client of target.idle.splice(0)) client.close();
}
