/** The version of Redis whose commands and replies these are, for clients that choose by it what they send. */
export const REDIS_VERSION = '7.2.0';
