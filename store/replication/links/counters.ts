/** What went over the links of replicas since the start. */
export type ReplicaLinkCounters = {
  framesSent: number;
  framesReceived: number;
  requestsSent: number;
  repliesReceived: number;
  /** Requests of others that were answered, refusals included. */
  requestsServed: number;
  /** Replies that nobody waited for: late, repeated, or of an earlier life. */
  repliesIgnored: number;
  timeouts: number;
  unreachable: number;
  /** Requests that were refused for want of room, by either side. */
  overloaded: number;
};

export function createCounters(): ReplicaLinkCounters {
  return {
    framesSent: 0,
    framesReceived: 0,
    requestsSent: 0,
    repliesReceived: 0,
    requestsServed: 0,
    repliesIgnored: 0,
    timeouts: 0,
    unreachable: 0,
    overloaded: 0,
  };
}
