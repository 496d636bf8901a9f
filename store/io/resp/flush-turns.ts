/** Gathers whom something is to be done to, each once, and does it once this turn's work is over. */
export function openTurns<T>(defer: (work: () => void) => void, act: (item: T) => void): (item: T) => void {
  let waiting = new Set<T>();
  const run = (): void => {
    const due = waiting;
    waiting = new Set();
    for (const item of due) act(item);
  };
  return (item) => {
    if (waiting.size === 0) defer(run);
    waiting.add(item);
  };
}
