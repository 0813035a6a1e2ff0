/** The location of gatepost: scripts, sites and the parts of the remote program are read from there. */

/** The folder of gatepost. */
export const ROOT = new URL('../../', import.meta.url);
