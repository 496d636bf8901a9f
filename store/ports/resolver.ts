/** Finds nodes by name. */
export type Resolver = {
  /**
   * The addresses, `host:port`, that `seed` (`host:port` too) stands for: one, or as many as its name resolves to.
   * Rejects where there are none now, with a reason that names the seed.
   */
  resolve(seed: string): Promise<readonly string[]>;
};
