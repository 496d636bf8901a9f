/** What the topology holds at most. The state is kept whole in memory, in the log and in every snapshot. */
export const LIMITS = {
  /** Members, waiting ones included. Every member follows the log of the topology, and gossips with the others. */
  membersMax: 1000,
  /** Hard cap of namespaces; the setting `limits.namespacesMax` may ask for less. */
  namespacesMax: 100_000,
  partitionsMax: 4096,
  replicationFactorMax: 9,
  weightMax: 1000,
  /** Members are 32 bits in a version (store/core/version), and numbers are never reused. */
  memberNumberMax: 0xffff_ffff,
  /** Characters of a name (a DNS label), an address, a zone, and of any other text. */
  nameCharactersMax: 63,
  /** `https://`, a host name, a port. */
  addressCharactersMax: 269,
  zoneCharactersMax: 63,
  textCharactersMax: 128,
  /** Operations that have ended and are listed still. */
  operationsEndedMax: 32,
  /** Each is for one member, or the one rebalance, or the one change of the factor. */
  operationsMax: 4096,
  /** Starts of a directory that its cluster has not told it about; older ones are forgotten. */
  livesMax: 128,
} as const;

/** Who asked for an operation: not empty, and without the control characters of Unicode (Cc), since it is printed for people. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: exactly these are refused
export const REQUESTER = /^[^\u0000-\u001f\u007f-\u009f]+$/;
