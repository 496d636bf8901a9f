/** Every limit of the peer protocol that is not a setting (`peer.*`); docs/protocol.md lists them. */

/** Payload bytes of one frame. More is split, so that nothing holds an urgent frame up for longer than one part. */
export const PART_BYTES_MAX = 65_536;
/** Payload bytes of what may come before the handshake is done. */
export const HELLO_BYTES_MAX = 4096;
/** Lists and maps inside each other in a payload. */
export const DEPTH_MAX = 16;
/** Entries of one raft append: more than `appendBytesMax` of the smallest ones. */
export const ENTRIES_MAX = 65_536;
/** Members that a message can name: voters, learners, addresses, replica sets. */
export const MEMBERS_MAX = 10_000;
export const RUMOURS_MAX = 1024;
export const PARTITIONS_MAX = 4096;
export const REPLICAS_MAX = 100;
/** Characters of a name: of a member, a zone, a namespace. */
export const NAME_CHARS_MAX = 255;
export const ADDRESS_CHARS_MAX = 300;
/** Characters of an identity or a version of the software. */
export const ID_CHARS_MAX = 128;
/** Characters of a text for people. */
export const TEXT_CHARS_MAX = 1000;
/** Requests of one link that are being served at once; more are answered `busy`. */
export const REQUESTS_SERVED_MAX = 1024;
/** Requests, or replies, of one replica batch. */
export const BATCH_OPERATIONS_MAX = 4096;
export const KEY_BYTES_MAX = 1024;
/** Requests of one member to this one's replica that are under way at once; more are refused `OVERLOADED`. */
export const REPLICA_SERVED_MAX = 65_536;
/** Bytes of those requests. */
export const REPLICA_SERVED_BYTES_MAX = 256 * 1024 * 1024;
/** Entries of one page of a scan, or of the keys of leaves. */
export const PAGE_ENTRIES_MAX = 65_536;
