import { applyMoveCancel } from '../moves/cancel.ts';
import { applyMoveConfirm } from '../moves/confirm.ts';
import { applyMoveAdvance, applyMoveEnter } from '../moves/joint.ts';
import { applyMoveStart } from '../moves/start.ts';
import { applyMoveDone } from '../moves/switch.ts';
import { applyMoveSources, applyMoveSwitch, applyMoveSynced } from '../moves/transfer.ts';
import type { ApplyOutcome, TopologyCommand } from './command.ts';
import { applyJoin } from './join.ts';
import { applyRemoveMember, applyUpdateMember } from './members.ts';
import { applyCreateNamespace, applyDropNamespace } from './namespaces.ts';
import { applyOperationCancel, applyOperationEnd, applyOperationStart } from './operations.ts';
import { applyPlacePartitions } from './partitions.ts';
import { applyStart } from './start.ts';
import { applyStopLease } from './stop-leases.ts';
import type { TopologyState } from './types.ts';

/**
 * The state machine of the topology group: every member applies the same commands in the same order and comes to the
 * same state, so nothing here may depend on anything but its arguments. `state` is never changed: `applied` gives a
 * new one whose epoch is higher by one; `unchanged` and `refused` give the very same.
 */
export function applyCommand(state: TopologyState, command: TopologyCommand): ApplyOutcome {
  switch (command.type) {
    case 'join':
      return applyJoin(state, command);
    case 'start':
      return applyStart(state, command);
    case 'update-member':
      return applyUpdateMember(state, command);
    case 'remove-member':
      return applyRemoveMember(state, command);
    case 'operation-start':
      return applyOperationStart(state, command);
    case 'operation-cancel':
      return applyOperationCancel(state, command);
    case 'operation-end':
      return applyOperationEnd(state, command);
    case 'stop-lease':
      return applyStopLease(state, command);
    case 'place-partitions':
      return applyPlacePartitions(state, command);
    case 'create-namespace':
      return applyCreateNamespace(state, command);
    case 'drop-namespace':
      return applyDropNamespace(state, command);
    case 'move-start':
      return applyMoveStart(state, command);
    case 'move-enter':
      return applyMoveEnter(state, command);
    case 'move-advance':
      return applyMoveAdvance(state, command);
    case 'move-confirm':
      return applyMoveConfirm(state, command);
    case 'move-sources':
      return applyMoveSources(state, command);
    case 'move-synced':
      return applyMoveSynced(state, command);
    case 'move-switch':
      return applyMoveSwitch(state, command);
    case 'move-done':
      return applyMoveDone(state, command);
    case 'move-cancel':
      return applyMoveCancel(state, command);
  }
}
