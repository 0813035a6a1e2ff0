/** The env file and the proxy, in step: the new token is in the file before it is live, and leaves it if it never is. */

import { type Written, writeSetting } from '../config/env-edit.ts';
import type { HostReport } from '../model/host-report.ts';
import { mayBeLive } from './change-client.ts';
import type { Context } from './context.ts';
import type { Rotation } from './rotate.ts';

/** Runs `change`; with --write-env the file gets the token first, and its old text back when the token is live nowhere. */
export async function keepInEnv(
  context: Context,
  { change }: Rotation,
  run: () => Promise<readonly HostReport[]>,
): Promise<readonly HostReport[]> {
  const { site, flags, report, underWay } = context;
  if (!flags['write-env'] || flags['dry-run'] || !site.gate || change.verb !== 'rotate') return run();
  const written = await writeSetting(flags.env, site.gate.token, change.token);
  underWay.envFile = written.path;
  report.tell({ kind: 'note', text: `${written.path} holds the new token now` });
  const hosts = await run()
    .catch(async (error: unknown) => {
      await takeBack(context, written);
      throw error;
    })
    .finally(() => {
      delete underWay.envFile;
    });
  if (!hosts.some(mayBeLive)) await takeBack(context, written);
  else tellOfOthers(context, written, hosts);
  return hosts;
}

async function takeBack({ report }: Context, { path, undo }: Written): Promise<void> {
  const text = (await undo().catch(() => false))
    ? `${path} is again as it was: the new token is live nowhere`
    : `${path} could not be put back: it holds the new token, which is live nowhere; \`npx tsx scripts/deploy.ts\` makes the file's the live one`;
  report.tell({ kind: 'warning', text });
}

function tellOfOthers({ report }: Context, { path }: Written, hosts: readonly HostReport[]): void {
  const list = (wanted: (host: HostReport) => boolean) => hosts.filter(wanted).map(({ host }) => host);
  const unknown = list(({ outcome }) => outcome === 'unknown');
  const old = list((host) => !mayBeLive(host));
  const kept = `${path} keeps the new token`;
  if (unknown.length > 0)
    report.tell({
      kind: 'warning',
      text: `${kept}; whether ${unknown.join(', ')} takes it is not known. \`npx tsx scripts/deploy.ts\` makes it live in any case`,
    });
  if (old.length > 0)
    report.tell({ kind: 'warning', text: `${kept}; ${old.join(', ')} still takes the old one` });
}
