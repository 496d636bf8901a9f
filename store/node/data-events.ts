import type { MemberId } from '../core/raft/types.ts';

/** What the data of a node tells while it runs; for the metrics and the log. All may be called at any time. */
export type DataEvents = {
  onWrite(outcome: 'acknowledged' | 'unwritten' | 'unknown', seconds: number): void;
  onRead(outcome: 'answered' | 'failed', seconds: number): void;
  /** Another member was asked because `slow` had not answered in its usual time. */
  onHedge(slow: MemberId): void;
  /** Records sent to replicas that lacked them, after an answer. */
  onReadRepair(records: number): void;
  /** Records sent before an answer. */
  onWriteBack(records: number): void;
  /** A request began again: under a newer epoch, or since a watermark moved. */
  onRestart(): void;
  onHintsKept(hints: number): void;
  onHintsReplayed(hints: number): void;
  onHintsDropped(reason: string, hints: number): void;
  /** A record failed its checksum. */
  onCorrupt(): void;
  /** Records came here by the move of a partition. */
  onMoved(bytes: number): void;
  /** A transfer of a partition did not come to its end, and is tried again. */
  onMoveDelayed(partition: number, reason: string): void;
  /** Something that an operator should read, e.g. that a replica has lost what it promised. */
  onDataNotice(message: string, fields: object): void;
};

/** The same events, and the time of each request that was answered. */
export function timedBy(events: DataEvents, onAnswered: (seconds: number) => void): DataEvents {
  return {
    ...events,
    onWrite(outcome, seconds) {
      events.onWrite(outcome, seconds);
      onAnswered(seconds);
    },
    onRead(outcome, seconds) {
      events.onRead(outcome, seconds);
      onAnswered(seconds);
    },
  };
}

export const NO_DATA_EVENTS: DataEvents = {
  onWrite() {},
  onRead() {},
  onHedge() {},
  onReadRepair() {},
  onWriteBack() {},
  onRestart() {},
  onHintsKept() {},
  onHintsReplayed() {},
  onHintsDropped() {},
  onCorrupt() {},
  onMoved() {},
  onMoveDelayed() {},
  onDataNotice() {},
};
