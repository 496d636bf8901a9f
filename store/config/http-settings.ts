import { z } from 'zod';
import { bytes, liveSetting, MIB, ms, port, setting, whole } from './setting.ts';

const httpAddress = z
  .string()
  .regex(
    /^((https?:\/\/)?[^\s/]+:\d{1,5})?$/,
    'host:port, also with http:// or https:// before it, or nothing',
  );
const onOffAuto = z.enum(['auto', 'on', 'off']);

/** The HTTP interface. */
export const HTTP_SETTINGS = {
  'http.host': setting<string>(z.string().min(1), '127.0.0.1', 'address that the HTTP interface listens on'),
  'http.port': setting<number>(port, 7400, 'port of the HTTP interface; 0 takes a free one'),
  'http.advertise': setting<string>(
    httpAddress,
    '',
    'where clients reach this node, host:port, with https:// before it where they must speak TLS to something else; empty takes what it listens on',
  ),
  'http.tlsCert': setting<string>(
    z.string(),
    '',
    'PEM file of the certificate, with those between it and the authority; with http.tlsKey the HTTP interface speaks TLS only',
  ),
  'http.tlsKey': setting<string>(z.string(), '', 'PEM file of the private key of http.tlsCert'),
  'http.tokensFile': setting<string>(
    z.string(),
    '',
    'YAML file of the tokens that are accepted, with their roles; empty lets everybody in. It is read again when it changes, as the PEM files are',
  ),
  'http.connectionsMax': liveSetting<number>(
    whole(1, 1_000_000),
    10_000,
    'open HTTP connections; more are refused',
  ),
  'http.inFlightRequestsMax': liveSetting<number>(
    whole(1, 1_000_000),
    4096,
    'requests under way; more answer 503 OVERLOADED',
  ),
  'http.inFlightBytesMax': liveSetting<number>(
    bytes(MIB, 64 * 1024 * MIB),
    256 * MIB,
    'bytes of request bodies held at once; more answer 503 OVERLOADED',
  ),
  'http.headerBytesMax': setting<number>(
    bytes(1024, MIB),
    16_384,
    'bytes of a request head; more answer 431',
  ),
  'http.headersTimeoutMs': setting<number>(ms(100, 600_000), 10_000, 'time for a request head to arrive'),
  'http.requestTimeoutMs': setting<number>(ms(100, 3_600_000), 60_000, 'time for a whole request to arrive'),
  'http.keepAliveTimeoutMs': setting<number>(
    ms(100, 3_600_000),
    65_000,
    'idle time after which a connection is closed',
  ),
  'http.streamStallMsMax': setting<number>(
    ms(100, 3_600_000),
    30_000,
    'time that a reader of a stream may take nothing',
  ),
  'http.remoteStop': setting<z.infer<typeof onOffAuto>>(
    onOffAuto,
    'auto',
    'whether POST /v1/nodes/NAME:stop stops this node: auto is on where http.host is a loopback address or tokens are needed (http.tokensFile), and off elsewhere, since anybody who reaches the port may ask',
  ),
} as const;
