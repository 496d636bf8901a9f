/** A time as the API server wants it in leases and events: with microseconds. It refuses those with milliseconds. */
export function microTime(wallMs: number): string {
  return new Date(wallMs).toISOString().replace('Z', '000Z');
}
