/** Every composed shell program, for shellcheck and for tests of its definitions. */
import { readSettings } from '../../../lib/config/settings.ts';
import { findSites } from '../../../lib/config/site-registry.ts';
import { newRun, type Program } from '../../../lib/model/run.ts';
import { clientFile, render } from '../../../lib/nginx/render.ts';
import { runnerText } from '../../../lib/program/approved-runner.ts';
import {
  challengeProgram,
  hookText,
  httpOnlyProgram,
  inspectProgram,
  issueProgram,
  newChallenge,
  selfSignedProgram,
  useProgram,
} from '../../../lib/program/certificate-programs.ts';
import {
  type ClientChange,
  clientProgram,
  copyProgram,
  exportProgram,
} from '../../../lib/program/client-program.ts';
import {
  removalProgram,
  rollbackProgram,
  statusProgram,
  usageProgram,
} from '../../../lib/program/history-programs.ts';
import { outcomeProgram, siteProgram, type Verb } from '../../../lib/program/program.ts';
import { Secret } from '../../../lib/util/secret.ts';

type Composed = readonly [name: string, text: string];

const SITE = 'ia.enso.4nkweb.com';
const sites = await findSites();
const site = sites.get(SITE);
if (!site) throw new Error(`unknown site ${SITE}`);
const settings = await readSettings(
  site,
  sites.values(),
  { envFile: '/dev/null' },
  {
    IA_ENSO_SERVER_NAME: SITE,
    IA_ENSO_PROXY_HOST: '10.0.0.1',
  },
);

const token = new Secret('e'.repeat(64));
const files = [...(await render(site, settings)), clientFile('client', token)];
const client = 'example';
const request = {
  method: 'order',
  staging: false,
  force: false,
  server: settings.acme.directoryUrl,
  email: '',
  isLocalCa: false,
} as const;

const context = { site, settings };
const textOf = async (program: Promise<Program>): Promise<string> => (await program).text;
const change = (clientChange: ClientChange) => textOf(clientProgram(context, clientChange, false));

/** One program per verb. */
export const PROGRAMS: Readonly<Record<Verb, string>> = {
  apply: await textOf(siteProgram('apply', site, files)),
  plan: await textOf(siteProgram('plan', site, files)),
  bundle: await textOf(siteProgram('bundle', site, files)),
  http_only: await textOf(httpOnlyProgram(site, settings, true)),
  outcome: await textOf(outcomeProgram(site, newRun().id)),
  rotate: await change({ verb: 'rotate', client, token, keepPrevious: true }),
  revoke_previous: await change({ verb: 'revoke_previous', client }),
  add_client: await change({ verb: 'add_client', client, token, scope: 'full' }),
  set_client: await change({ verb: 'set_client', client, scope: 'full' }),
  suspend_client: await change({ verb: 'suspend_client', client }),
  resume_client: await change({ verb: 'resume_client', client }),
  revoke_client: await change({ verb: 'revoke_client', client }),
  export_clients: await textOf(exportProgram(site)),
  copy_client: await textOf(copyProgram(context, [], '10.0.0.2', false)),
  rollback: await textOf(rollbackProgram(context)),
  remove: await textOf(removalProgram(site, { dryRun: false })),
  status: await textOf(statusProgram(site, 'everything')),
  usage: await textOf(usageProgram(site)),
  challenge: await textOf(challengeProgram(site, newChallenge())),
  end_challenge: await textOf(challengeProgram(site)),
  issue: await textOf(issueProgram(site, 'new', request)),
  use_certificate: await textOf(useProgram(site, 'wildcard.example.org')),
  self_signed: await textOf(selfSignedProgram(site, '10.0.0.1')),
};

/** Those programs, and the scripts that are installed on a proxy. */
export const EVERY_SCRIPT: readonly Composed[] = [
  ...Object.entries(PROGRAMS),
  ['status, before an order', await textOf(inspectProgram(site))],
  ['gatepost-run', await runnerText()],
  ['hook', (await hookText()).join('\n')],
];
