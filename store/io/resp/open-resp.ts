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
  return {
    ...defaultRespOptions,
    host: config['resp.host'],
    port: config['resp.port'],
    connectionsMax: config['resp.connectionsMax'],
    pipelineMax: config['resp.pipelineMax'],
    inFlightBytesMax: config['resp.inFlightBytesMax'],
    requestBytesMax: config['resp.requestBytesMax'],
    argumentsMax: config['resp.argumentsMax'],
    outputBytesMax: config['resp.outputBytesMax'],
    stallMsMax: config['resp.stallMsMax'],
    idleTimeoutMs: config['resp.idleTimeoutMs'],
    redirect: config['resp.redirect'],
    keysMax: config['resp.keysMax'],
    keyBytesMax: config['limits.keyBytesMax'],
    valueBytesMax: config['limits.valueBytesMax'],
    batchOperationsMax: config['limits.batchOperationsMax'],
    askedTimeoutMsMax: config['replication.requestTimeoutMsMax'],
  };
}
