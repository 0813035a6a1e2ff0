/** What root approves on a proxy, so that the login user need not be root: every program that gatepost may send there. */
import { createHash } from 'node:crypto';
import { acmeServers, type CertificateRequest } from '../model/certbot.ts';
import { newRun, type Program } from '../model/run.ts';
import { isNameless } from '../model/site.ts';
import { clientFile, render } from '../nginx/render.ts';
import { runnerText } from '../program/approved-runner.ts';
import * as tls from '../program/certificate-programs.ts';
import { type ClientChange, clientProgram } from '../program/client-program.ts';
import { removalProgram, rollbackProgram, statusProgram } from '../program/history-programs.ts';
import { outcomeProgram, siteProgram } from '../program/program.ts';
import { UsageError } from '../util/errors.ts';
import { inParallel } from '../util/parallel.ts';
import { Secret } from '../util/secret.ts';
import { $ } from '../util/shell.ts';
import type { Context } from './context.ts';

const AT_ONCE = 8;

/** Where the values that differ from run to run would be. */
const EXAMPLE = { client: 'example', token: new Secret('e'.repeat(64)) } as const;

/** One line per program: its checksum, and what it does. */
export async function approvedList(context: Context): Promise<string> {
  const [programs, runner] = await Promise.all([everyProgram(context), runnerText()]);
  const lines = await inParallel(
    programs,
    AT_ONCE,
    async ([what, { text }]) => `${await sumOf(runner, text)} ${what}\n`,
  );
  return lines.join('');
}

/** The checksum as the proxy computes it, by the same script. */
async function sumOf(runner: string, text: string): Promise<string> {
  const { stdout } = await $({ input: text })`sh -c ${runner} gatepost-run mask`;
  return createHash('sha256').update(stdout).digest('hex');
}

type Named = readonly [what: string, program: Program];

/** Every program for this site with these settings. */
async function everyProgram(context: Context): Promise<readonly Named[]> {
  const parts = [ofSite, ofGate, ofHistory, ofTls, ofHttpOnly];
  return (await Promise.all(parts.map((part) => part(context)))).flat();
}

const EITHER = [false, true];

const named = async (what: string, ...programs: readonly Promise<Program>[]): Promise<Named[]> =>
  (await Promise.all(programs)).map((program) => [what, program]);

async function ofSite({ site, settings }: Context): Promise<Named[]> {
  const files = await render(site, settings);
  const roles = site.gate ? (['client', 'first-client'] as const) : [undefined];
  const deploys = roles.flatMap((role) => {
    const all = role ? [...files, clientFile(role, EXAMPLE.token)] : files;
    return (['apply', 'plan'] as const).map((verb) =>
      named(`${verb} ${role ?? ''}`.trim(), siteProgram(verb, site, all)),
    );
  });
  return [
    ...(await Promise.all(deploys)).flat(),
    ...(await named('outcome', outcomeProgram(site, newRun().id))),
  ];
}

async function ofGate(context: Context): Promise<Named[]> {
  if (!context.site.gate) return [];
  const { client, token } = EXAMPLE;
  const verbs = [
    'set_client',
    'revoke_previous',
    'suspend_client',
    'resume_client',
    'revoke_client',
  ] as const;
  const changes: readonly ClientChange[] = [
    { verb: 'rotate', client, token, keepPrevious: false },
    { verb: 'add_client', client, token },
    ...verbs.map((verb) => ({ verb, client })),
  ];
  const programs = changes.map((change) =>
    named(change.verb, ...EITHER.map((isDry) => clientProgram(context, change, isDry))),
  );
  return (await Promise.all(programs)).flat();
}

async function ofHistory(context: Context): Promise<Named[]> {
  const { site } = context;
  const removals = EITHER.flatMap((dryRun) => EITHER.map((purge) => removalProgram(site, { dryRun, purge })));
  const rollbacks = EITHER.map((isDry) => rollbackProgram(context, newRun().id, isDry));
  const statuses = (['clients', 'everything'] as const).map((only) => statusProgram(site, only));
  return [
    ...(await named('remove', ...removals)),
    ...(await named('rollback', ...rollbacks)),
    ...(await named('status', ...statuses)),
  ];
}

function ofTls({ site, settings }: Context): Promise<Named[]> {
  const requests = acmeServers(settings.acme.directoryUrl).map(
    (server) => ({ server, email: settings.acme.email ?? '' }) as CertificateRequest,
  );
  const orders = (['new', 'rehearsal', 'none'] as const).flatMap((order) =>
    requests.map((request) => tls.issueProgram(site, order, request)),
  );
  return named(
    'certificate',
    tls.inspectProgram(site),
    tls.challengeProgram(site, tls.newChallenge()),
    tls.challengeProgram(site),
    tls.selfSignedProgram(site, EXAMPLE.client),
    ...(isNameless(site) ? [] : [tls.useProgram(site, EXAMPLE.client), ...orders]),
  );
}

/** A site may lack that template. */
async function ofHttpOnly({ site, settings }: Context): Promise<Named[]> {
  try {
    return await named(
      'http_only',
      ...EITHER.map((isBeside) => tls.httpOnlyProgram(site, settings, isBeside)),
    );
  } catch (error) {
    if (error instanceof UsageError) return [];
    throw error;
  }
}
