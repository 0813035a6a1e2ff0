/** Checks of what only the proxy can see; `verify --via-ssh` runs them there. */
import {
  type Check,
  type CheckTarget,
  type Finding,
  failed,
  passed,
  skipped,
  warned,
} from '../model/check.ts';

interface OnProxy {
  readonly name: string;
  readonly about: Parameters<NonNullable<CheckTarget['faultsOnProxy']>>[0];
  /** The finding if there are faults. */
  readonly finding: (detail: string) => Finding;
  readonly healthy: string;
  /** Why it is skipped without a connection to the proxy. */
  readonly elsewhere: string;
}

const onProxy = ({ name, about, finding, healthy, elsewhere }: OnProxy): Check => ({
  name,
  run: async ({ faultsOnProxy }) => {
    if (!faultsOnProxy) return skipped(elsewhere);
    try {
      const faults = await faultsOnProxy(about);
      return faults.length > 0 ? finding(faults.join('. ')) : passed(healthy);
    } catch (error) {
      return skipped(`The proxy cannot be queried: ${(error as Error).message}`);
    }
  },
});

/** Whether the gate has any client. If a token is known, a request shows it. */
export const gateClients = onProxy({
  name: 'gate clients',
  about: 'clients',
  finding: failed,
  healthy: 'The gate has a client.',
  elsewhere: 'Only the proxy itself shows whether the gate has a client: `npx tsx scripts/status.ts`.',
});

/** Whether each of several machines answers, with the same version and models. Through the gate, nginx picks one. */
export const backendMachines = onProxy({
  name: 'backend machines',
  about: 'backends',
  finding: warned,
  healthy: 'Each machine answers the proxy; those of one service have the same version and models.',
  elsewhere:
    'Through the gate, nginx chooses the machine: `npx tsx scripts/verify.ts --via-ssh` (or status.ts) queries each of them from the proxy.',
});
