/** Resolves when no microtask is left: what simulated nodes do between two events of virtual time is done. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
