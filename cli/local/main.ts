import { localCluster } from './local-cluster.ts';

/** `./dev.sh up|scale|down|status|logs|clean`: a cluster on this machine, run in the background. */
const [command = 'help', ...args] = process.argv.slice(2);
process.exitCode = await localCluster(command, args);
