import { entry, passing } from './error-entry.ts';

const AGAIN = 'Every change of the cluster is harmless when it is repeated.';

/** The codes of the cluster and of its members. */
export const clusterErrors = {
  BAD_MEMBER_NAME: entry(
    400,
    'The member name is not valid',
    'Use a DNS label: lower-case letters, digits and inner hyphens, at most 63 characters.',
  ),
  BAD_PLACEMENT: entry(
    400,
    'The placement of the partitions is not valid',
    'Report it with the log of the leader: placements are made by the cluster itself.',
  ),
  BAD_MOVE: entry(
    400,
    'The step of a move is not one of that partition',
    'Report it with the log of the leader: moves are driven by the cluster itself.',
  ),
  MEMBER_NOT_FOUND: entry(
    404,
    'There is no such member',
    'See GET /v1/members for the names; a member that was removed is gone already.',
  ),
  OPERATION_NOT_FOUND: entry(
    404,
    'There is no such operation',
    'See GET /v1/operations for their ids; those that ended are forgotten after a while.',
  ),
  NAME_TAKEN: entry(
    409,
    'The name belongs to another member',
    'Give the new node another name, or stop or remove the member that has this one.',
  ),
  MEMBER_LIMIT: entry(409, 'There are too many members', 'Remove members that are gone for good.'),
  MEMBER_STALE: entry(
    409,
    'The cluster has seen a later life of this member',
    'Start the node from its newest data directory, or from an empty one to join as a replacement.',
  ),
  MEMBER_OWNS_DATA: entry(
    409,
    'The member holds replicas of partitions that would be lost',
    'To remove it, drain it first. To replace it, start it on its own directory, or wait until partitions have moved.',
  ),
  LAST_MEMBER: entry(
    409,
    'The last member cannot be removed',
    'Stop the node instead; its directory is the cluster.',
  ),
  TOO_FEW_MEMBERS: entry(
    409,
    'Too few other members could hold the data',
    'Start another node, or cancel another operation, first.',
  ),
  TOO_FEW_ZONES: entry(
    409,
    'Replicas that lie in different zones would share one',
    'Start another node in that zone first, or repeat the request with force.',
  ),
  NO_SPACE: entry(
    409,
    'The disks of the members could not take what the operation would bring',
    'Give them more space, add nodes, or repeat the request with force: each member then takes what fits.',
  ),
  OPERATION_NOT_CANCELLABLE: entry(
    409,
    'The operation cannot be cancelled any more',
    'Nothing to do where it is done; to undo it, ask for the opposite.',
  ),
  MEMBER_ALIVE: entry(
    409,
    'The member is up: its data can be moved by itself',
    'Drain it instead, or repeat the request with force where the member is of no use.',
  ),
  STOP_LEASE_TAKEN: passing(
    409,
    'Another member was told meanwhile that it may stop',
    'Ask again: the answer is then with that member away.',
  ),
  REMOTE_STOP_OFF: entry(
    403,
    'This node does not let itself be stopped over HTTP',
    'Stop its process on its machine, have it need tokens (http.tokensFile), or set http.remoteStop to on where everybody who reaches its port may stop it.',
  ),
  WRONG_NODE: entry(
    421,
    'Only the node itself can answer this',
    'Ask that node; GET /v1/members has its httpAddress.',
  ),
  QUORUM_AT_RISK: passing(
    409,
    'Without this voter too few of the others are up',
    'Bring a voter back, or wait until another member has taken its vote; see GET /v1/cluster.',
  ),
  EPOCH_CHANGED: passing(
    409,
    'The topology has changed since it was read',
    'Read the topology again, and repeat the change if it is still wanted.',
  ),
  PARTITION_MOVING: passing(
    409,
    'The partition moves already',
    'Wait until that move is done, or cancel it first.',
  ),
  MOVE_NOT_READY: passing(
    409,
    'What must be confirmed before that step of the move is not',
    'Nothing to do: the leader takes the step as soon as it can.',
  ),
  MOVE_SWITCHED: entry(
    409,
    'The partition is read from its new replica set already',
    'Let the move finish, then move the partition back.',
  ),
  ALREADY_PLACED: entry(409, 'The partitions are placed already', 'Nothing to do.'),
  ALREADY_BOOTSTRAPPED: entry(
    409,
    'The node is of a cluster already, or joins one',
    'See GET /v1/cluster for which one. A new cluster needs a node with an empty data directory.',
  ),
  TRANSFER_REFUSED: entry(
    409,
    'The leadership cannot be handed over',
    'Name a voter that is alive and up to date, or none to let the leader choose; see GET /v1/cluster.',
  ),
  CLUSTER_WAITING: passing(
    503,
    'The node is of no cluster yet',
    'Give it seeds that answer (cluster.seeds), or make a new cluster of it with POST /v1/cluster:bootstrap.',
  ),
  CLUSTER_FORMING: passing(
    503,
    'The partitions are not placed yet',
    'Wait, or start more nodes: partitions are placed once as many members are up as there are replicas.',
  ),
  MEMBER_EXCLUDED: entry(
    503,
    'The node was removed or replaced, or its data directory is too old',
    'Ask another node. To bring this one back, start it with an empty data directory.',
  ),
  NO_LEADER: passing(
    503,
    'There is no leader that this node can reach; nothing was changed',
    'Try again after Retry-After. Where it lasts, see GET /v1/cluster for the voters that are missing and start them.',
  ),
  OUTCOME_UNKNOWN: passing(
    503,
    'The change may have been done, or may be done yet',
    `Look at GET /v1/topology, or repeat the change. ${AGAIN}`,
  ),
} as const;
