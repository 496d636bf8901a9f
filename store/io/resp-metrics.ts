import { Counter, Gauge, type Metric, type Registry } from 'prom-client';
import { type RespSeries, RespTimings } from './resp-timings.ts';
import { scraped } from './scraped-metric.ts';

/** Of a key, seen from a node: it is asked first for it, holds it as well, or does not. */
export type KeyPlace = 'first' | 'replica' | 'elsewhere';

export type RespMetrics = {
  /** The series of one command, which is one of the table of commands. */
  respSeries(command: string): RespSeries;
  /** Asks for the gauges of the RESP server at each scrape. */
  watchResp(read: () => RespGauges): void;
  countRespRefusedConnection(): void;
  countRespProtocolError(): void;
  countRespKey(place: KeyPlace): void;
};

export type RespGauges = {
  readonly connections: number;
  readonly inFlightCommands: number;
  readonly inFlightBytes: number;
};

export function respMetrics(registry: Registry): RespMetrics {
  const timings = new RespTimings();
  for (const metric of timings.metrics) registry.registerMetric(metric as unknown as Metric);
  const counter = (name: string, help: string): Counter => new Counter({ name, help, registers: [registry] });
  const refused = counter(
    'kvorum_resp_refused_connections_total',
    'Connections closed at once because the limit was reached',
  );
  const broken = counter(
    'kvorum_resp_protocol_errors_total',
    'Connections closed because their bytes were no requests',
  );
  const keys: Record<KeyPlace, number> = { first: 0, replica: 0, elsewhere: 0 };
  const byPlace = scraped(
    'counter',
    'kvorum_resp_key_place_total',
    'Commands on keys, by where the key is',
    () => Object.entries(keys).map(([place, value]) => ({ labels: { place }, value })),
  );
  registry.registerMetric(byPlace as unknown as Metric);
  return {
    respSeries: (command) => timings.series(command),
    watchResp: respGauges(registry),
    countRespRefusedConnection: () => refused.inc(),
    countRespProtocolError: () => broken.inc(),
    countRespKey(place) {
      keys[place] += 1;
    },
  };
}

function respGauges(registry: Registry): RespMetrics['watchResp'] {
  let read = (): RespGauges => ({ connections: 0, inFlightCommands: 0, inFlightBytes: 0 });
  const gauge = (name: string, help: string, field: keyof RespGauges): void => {
    const collect = function (this: Gauge): void {
      this.set(read()[field]);
    };
    new Gauge({ name, help, registers: [registry], collect });
  };
  gauge('kvorum_resp_connections', 'Open connections of Redis clients', 'connections');
  gauge('kvorum_resp_in_flight_commands', 'Commands being run', 'inFlightCommands');
  gauge('kvorum_resp_in_flight_bytes', 'Bytes of requests and replies held', 'inFlightBytes');
  return (next) => {
    read = next;
  };
}
