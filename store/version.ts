/** The version of Kvorum, as in package.json. */
export const KVORUM_VERSION = '0.1.0';
