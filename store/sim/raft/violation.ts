/** A broken promise of Raft, seen from outside. */
export class RaftViolation extends Error {
  override readonly name = 'RaftViolation';
}
