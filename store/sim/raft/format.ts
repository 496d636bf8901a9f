import type { Message } from '../../core/raft/messages.ts';
import type { ChangeOutcome } from '../../core/raft/proposal.ts';
import type { ReadOutcome } from '../../core/raft/read-index.ts';
import type { RaftStatus } from '../../core/raft/status.ts';
import type { TransferOutcome } from '../../core/raft/transfer.ts';
import type { Configuration, Entry, Position } from '../../core/raft/types.ts';

/** Raft as short text, for golden files and traces. A position is written `index@term`. */

const at = ({ index, term }: Position): string => `${index}@${term}`;

export function formatMessage(message: Message): string {
  return `${message.from} -> ${message.to}  ${message.type} (term ${message.term}) ${describe(message)}`.trimEnd();
}

export function formatEntry(entry: Entry): string {
  switch (entry.type) {
    case 'no-op':
      return `${at(entry)}:no-op`;
    case 'command':
      return `${at(entry)}:'${new TextDecoder().decode(entry.data)}'`;
    case 'config':
      return `${at(entry)}:${formatConfiguration(entry.configuration)}`;
  }
}

export function formatConfiguration({ voters, votersOutgoing, learners }: Configuration): string {
  const joint = votersOutgoing.length > 0 ? `&(${votersOutgoing.join(' ')})` : '';
  return `(${voters.join(' ')})${joint}${learners.length > 0 ? `+(${learners.join(' ')})` : ''}`;
}

export function formatOutcome(outcome: ChangeOutcome | ReadOutcome | TransferOutcome): string {
  switch (outcome.type) {
    case 'appended':
      return `appended at ${at(outcome)}`;
    case 'asked':
      return `asked (#${outcome.id.sequence})`;
    case 'started':
      return 'started';
    case 'refused': {
      const { type: _, reason, ...details } = outcome;
      const rest = Object.entries(details).map(([name, value]) => `${name} ${value}`);
      return [`refused: ${reason}`, ...rest].join(', ');
    }
  }
}

export function formatStatus(status: RaftStatus): string {
  const { id, role, term, leader, commit, last, configuration, progress, snapshot } = status;
  const parts = [
    `${id} ${role} in term ${term}`,
    role === 'leader' ? '' : `leader ${leader ?? '-'}`,
    `log ${at(last)} commit ${commit}`,
    snapshot > 0 ? `snapshot ${snapshot}` : '',
    formatConfiguration(configuration),
    ...[...progress]
      .filter(([member]) => member !== id)
      .map(([member, { flow, match, next }]) => `${member}:${flow} match ${match} next ${next}`),
  ];
  return parts.filter((part) => part !== '').join(' | ');
}

function describe(message: Message): string {
  switch (message.type) {
    case 'pre-vote':
      return `log ${at(message.last)}`;
    case 'vote':
      return `log ${at(message.last)}${message.isTransfer ? ' for a transfer' : ''}`;
    case 'pre-vote-response':
    case 'vote-response':
      return message.isGranted ? 'yes' : 'no';
    case 'append': {
      const entries = message.entries.map(formatEntry).join(' ');
      return `after ${at(message.previous)}: ${entries === '' ? 'nothing' : entries}, commit ${message.commit}`;
    }
    case 'append-response':
      return `match ${message.match}`;
    case 'append-rejection':
      return `lacks ${message.rejected}, agrees at most at ${at(message.hint)}`;
    case 'heartbeat':
      return `commit ${message.commit} round ${message.round}`;
    case 'heartbeat-response':
      return `round ${message.round}`;
    case 'snapshot': {
      const { meta, offset, bytesTotal, data } = message;
      return `${at(meta)} ${formatConfiguration(meta.configuration)} bytes ${offset}..${offset + data.length} of ${bytesTotal}`;
    }
    case 'snapshot-response':
      return `${message.snapshot} from byte ${message.offset}`;
    case 'read-index':
      return `#${message.id.sequence} of ${message.id.member}`;
    case 'read-index-response':
      return `#${message.id.sequence} at ${message.index}`;
    case 'timeout-now':
    case 'stale-term':
      return '';
  }
}
