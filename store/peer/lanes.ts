import type { DataReply, DataRequest } from './data-messages.ts';
import type { Lane, PeerMessage, PeerReply, PeerRequest } from './messages.ts';

/** Snapshots are bulk: whatever else Raft or gossip says must not wait for them. */
export function laneOfMessage(message: PeerMessage): Lane {
  switch (message.type) {
    case 'raft':
      return message.message.type === 'snapshot' ? 'bulk' : 'urgent';
    case 'gossip':
      return 'urgent';
    case 'replica':
      return 'normal';
  }
}

/** Anti-entropy and scans are bulk: requests for keys overtake them. */
export function laneOfRequest(request: PeerRequest): Lane {
  return request.type === 'data' ? laneOfData(request.request.type) : 'normal';
}

export function laneOfReply(reply: PeerReply): Lane {
  return reply.type === 'data' ? laneOfData(reply.reply.type) : 'normal';
}

function laneOfData(type: DataRequest['type'] | DataReply['type']): Lane {
  switch (type) {
    case 'roots':
    case 'walk':
    case 'leaves':
    case 'scan':
    case 'bulk':
      return 'bulk';
    case 'round':
    case 'report':
    case 'explain':
    case 'verify':
    case 'data-refused':
      return 'normal';
  }
}
