/** Calls `work` once everything that is ready in this turn of the event loop has run: what gathers meanwhile goes together. */
export function defer(work: () => void): void {
  setImmediate(work);
}
