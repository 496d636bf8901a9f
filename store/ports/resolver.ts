/** Names are looked up through a port: DNS in io/, a table in sim/. */
export type Resolver = {
  /** The addresses (`host:port`) that `seed` (`host:port`) stands for; rejects where the name has none. */
  resolve(seed: string): Promise<readonly string[]>;
};
