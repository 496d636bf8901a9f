import { formatVersion } from '../core/version/version.ts';
import type { AntiEntropyEvent } from '../replication/exchange/exchange-options.ts';
import type { HintEvents } from '../replication/hints/hint-events.ts';
import type { MoveEvent } from '../replication/moves/move-options.ts';
import type { Routing } from '../replication/types.ts';
import type { DataServiceDeps } from './data-service.ts';

export function hintEvents({ events, onError }: DataServiceDeps): HintEvents {
  return {
    onKept: (hints) => events.onHintsKept(hints),
    onReplayed: (hints) => events.onHintsReplayed(hints),
    onDropped: (reason, hints) => events.onHintsDropped(reason, hints),
    onError,
  };
}

/** What anti-entropy found, in words for an operator. */
export function noticeOf(event: AntiEntropyEvent, deps: DataServiceDeps, routing: Routing): void {
  const { onDataNotice } = deps.events;
  switch (event.type) {
    case 'tree-rebuilt':
      onDataNotice('a Merkle tree did not agree with its data and is built again', {
        partition: event.partition,
      });
      return;
    case 'promises-lost':
      onDataNotice(
        'a replica has lost what it promised: it takes no part until it has joined again with an empty directory',
        {
          partition: event.partition,
          node: routing.nameOf(event.member),
          floor: formatVersion(event.floor),
          watermark: formatVersion(event.watermark),
        },
      );
      return;
    case 'sealed-difference':
      onDataNotice('a record differs below the watermark: this must not be; please report it', {
        partition: event.partition,
        node: routing.nameOf(event.member),
        namespaceId: event.namespaceId,
        keyBase64: Buffer.from(event.key).toString('base64'),
        version: formatVersion(event.version),
      });
      return;
    case 'failed':
      deps.onError(event.error);
      return;
  }
}

/** What a member's part in moves tells. A step that waits says so in the operation's `blockedBy`. */
export function moveNoticeOf(event: MoveEvent, { events, onError }: DataServiceDeps): void {
  switch (event.type) {
    case 'moved':
      events.onMoved(event.bytes);
      return;
    case 'delayed':
      events.onMoveDelayed(event.partition, event.reason);
      return;
    case 'failed':
      onError(event.error);
      return;
  }
}
