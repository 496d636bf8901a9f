import { settingsAs } from '../../config/live-config.ts';
import type { Config } from '../../config/settings.ts';
import type { RespDeps } from './resp-context.ts';
import { defaultRespOptions, type RespOptions } from './resp-options.ts';
import { type RespServer, startRespServer } from './server.ts';

/** The RESP interface as the settings want it; undefined where they want none. Rejects, and says what to do, where it cannot listen. */
export async function openResp(config: Config, deps: RespDeps): Promise<RespServer | undefined> {
  if (!config['resp.enabled']) return undefined;
  try {
    return await startRespServer(respOptions(config), deps);
  } catch (error) {
    const { message } = error as Error;
    const advice = 'give it another resp.port, or set resp.enabled to false';
    throw new Error(`the port for clients of Redis cannot be opened: ${message}; ${advice}`, {
      cause: error,
    });
  }
}

function respOptions(config: Config): RespOptions {
  return settingsAs(
    config,
    {
      host: 'resp.host',
      port: 'resp.port',
      connectionsMax: 'resp.connectionsMax',
      pipelineMax: 'resp.pipelineMax',
      inFlightBytesMax: 'resp.inFlightBytesMax',
      requestBytesMax: 'resp.requestBytesMax',
      argumentsMax: 'resp.argumentsMax',
      outputBytesMax: 'resp.outputBytesMax',
      stallMsMax: 'resp.stallMsMax',
      idleTimeoutMs: 'resp.idleTimeoutMs',
      redirect: 'resp.redirect',
      keysMax: 'resp.keysMax',
      keyBytesMax: 'limits.keyBytesMax',
      valueBytesMax: 'limits.valueBytesMax',
      batchOperationsMax: 'limits.batchOperationsMax',
      askedTimeoutMsMax: 'replication.requestTimeoutMsMax',
    },
    defaultRespOptions,
  );
}
