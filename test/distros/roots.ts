/** The root file systems built by build-root.sh. */

/** Their folders, each named after its suite. */
export const ROOTS = (process.env.GATEPOST_ROOTS ?? '').split(' ').filter(Boolean);
if (ROOTS.length === 0) throw new Error('No root file system: run `npm run test:distros`');
