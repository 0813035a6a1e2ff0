/** The root file systems that build-root.sh made. */

/** Their folders, each with the name of its suite. */
export const ROOTS = (process.env.GATEPOST_ROOTS ?? '').split(' ').filter(Boolean);
if (ROOTS.length === 0) throw new Error('No root file system: run `npm run test:distros`');
