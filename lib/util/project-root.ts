/** Where the suite lies: scripts, sites and the parts of the remote program are read from below it. */

/** The folder of the suite. */
export const ROOT = new URL('../../', import.meta.url);
