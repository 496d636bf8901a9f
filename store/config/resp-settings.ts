import { z } from 'zod';
import { address, bytes, flag, liveSetting, MIB, ms, port, setting, whole } from './setting.ts';

const redirect = z.enum(['never', 'owner']);

/** The interface for clients of Redis. */
export const RESP_SETTINGS = {
  'resp.enabled': setting<boolean>(flag, true, 'whether clients of Redis are served'),
  'resp.host': setting<string>(
    z.string().min(1),
    '127.0.0.1',
    'address that the RESP interface, the one for clients of Redis, listens on',
  ),
  'resp.port': setting<number>(port, 6379, 'port of the RESP interface; 0 takes a free one'),
  'resp.advertise': setting<string>(
    address,
    '',
    'where clients of Redis reach this node, host:port, as CLUSTER SLOTS tells it; empty takes the host of http.advertise, or what it listens on',
  ),
  'resp.redirect': liveSetting<z.infer<typeof redirect>>(
    redirect,
    'never',
    'what a client is told that asks a node which does not hold the key: never is the answer itself; owner is MOVED to the node to ask now and then, for clients in cluster mode only',
  ),
  'resp.connectionsMax': liveSetting<number>(
    whole(1, 1_000_000),
    10_000,
    'open connections of Redis clients; more are refused',
  ),
  'resp.pipelineMax': setting<number>(
    whole(1, 100_000),
    1024,
    'commands of one connection that are under way at once; those behind them wait',
  ),
  'resp.inFlightBytesMax': liveSetting<number>(
    bytes(MIB, 64 * 1024 * MIB),
    256 * MIB,
    'bytes of requests and replies held at once; more commands answer OOM',
  ),
  'resp.requestBytesMax': setting<number>(
    bytes(65_536, 512 * MIB),
    32 * MIB,
    'bytes of the arguments of one command; more costs the client its connection',
  ),
  'resp.argumentsMax': setting<number>(
    whole(16, 1_048_576),
    65_536,
    'arguments of one command; more cost the client its connection',
  ),
  'resp.outputBytesMax': setting<number>(
    bytes(65_536, 1024 * MIB),
    MIB,
    'bytes of replies that a client has not taken, above which its next commands wait',
  ),
  'resp.stallMsMax': setting<number>(
    ms(100, 3_600_000),
    30_000,
    'time for which a client may take nothing of the replies that wait for it',
  ),
  'resp.idleTimeoutMs': liveSetting<number>(
    ms(0, 86_400_000),
    0,
    'time without a command after which a connection is closed; 0: never',
  ),
  'resp.keysMax': liveSetting<number>(
    whole(1, 10_000_000),
    100_000,
    'keys that KEYS answers; where there are more it answers an error, and SCAN is the way',
  ),
} as const;
