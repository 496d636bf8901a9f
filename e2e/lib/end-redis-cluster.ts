import type { Cluster } from 'ioredis';

/**
 * Ends a client in cluster mode between two questions for the slots. One that is disconnected while it asks sets its timer once the
 * answer comes, asks again for ever (`slotsRefreshInterval`), and keeps the process alive.
 */
export async function endRedisCluster(redis: Cluster): Promise<void> {
  await new Promise<unknown>((resolve) => redis.refreshSlotsCache(resolve));
  redis.disconnect();
}
