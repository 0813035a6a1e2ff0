/** What root approves on a proxy, so that the login user need not be root: every program that gatepost may send there. */
import { createHash } from 'node:crypto';
import { acmeServers, type CertificateRequest } from '../model/certbot.ts';
import { newRun } from '../model/run.ts';
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

/** Processes side by side. */
const AT_ONCE = 8;

/** Where the values that differ from run to run would be. */
const EXAMPLE = { client: 'example', token: new Secret('e'.repeat(64)) } as const;

/** One line per program: its checksum, and what it does. */
export async function approvedList(context: Context): Promise<string> {
  const [programs, runner] = await Promise.all([everyProgram(context), runnerText()]);
  const lines = await inParallel(
    programs,
    AT_ONCE,
    async ([what, text]) => `${await sumOf(runner, text)} ${what}\n`,
  );
  return lines.join('');
}

/** The checksum as the proxy computes it, by the same script. */
async function sumOf(runner: string, text: string): Promise<string> {
  const { stdout } = await $({ input: text })`sh -c ${runner} gatepost-run mask`;
  return createHash('sha256').update(stdout).digest('hex');
}

type Named = readonly [what: string, text: string];

/** Every program for this site with these settings. */
async function everyProgram(context: Context): Promise<readonly Named[]> {
  const parts = [ofSite, ofGate, ofHistory, ofTls];
  return (await Promise.all(parts.map((part) => part(context)))).flat();
}

async function ofSite({ site, settings }: Context): Promise<Named[]> {
  const run = newRun();
  const files = await render(site, settings);
  const roles = site.gate ? (['client', 'first-client'] as const) : [undefined];
  const programs = roles.flatMap((role) => {
    const all = role ? [...files, clientFile(role, EXAMPLE.token)] : files;
    return (['apply', 'plan'] as const).map(
      async (verb): Promise<Named> => [
        `${verb} ${role ?? ''}`.trim(),
        await siteProgram(verb, run, site, all),
      ],
    );
  });
  return [...(await Promise.all(programs)), ['outcome', await outcomeProgram(run, site, run.id)]];
}

async function ofGate(context: Context): Promise<Named[]> {
  const { site } = context;
  if (!site.gate) return [];
  const { client, token } = EXAMPLE;
  const changes: readonly ClientChange[] = [
    { verb: 'rotate', client, token, keepPrevious: false },
    { verb: 'add_client', client, token },
    { verb: 'set_client', client },
    ...(['revoke_previous', 'suspend_client', 'resume_client', 'revoke_client'] as const).map((verb) => ({
      verb,
      client,
    })),
  ];
  const programs = changes.flatMap((change) =>
    [false, true].map(
      async (dry): Promise<Named> => [change.verb, await clientProgram(newRun(), context, change, dry)],
    ),
  );
  return Promise.all(programs);
}

async function ofHistory(context: Context): Promise<Named[]> {
  const { site } = context;
  const run = newRun();
  const both = [false, true];
  return Promise.all([
    ...both.flatMap((dryRun) =>
      both.map(
        async (purge): Promise<Named> => ['remove', await removalProgram(run, site, { dryRun, purge })],
      ),
    ),
    ...both.map(
      async (dry): Promise<Named> => ['rollback', await rollbackProgram(run, context, run.id, dry)],
    ),
    ...(['clients', 'everything'] as const).map(
      async (only): Promise<Named> => ['status', await statusProgram(run, site, only)],
    ),
  ]);
}

async function ofTls(context: Context): Promise<Named[]> {
  const { site } = context;
  const programs = [
    tls.inspectProgram(site),
    tls.challengeProgram(site, tls.newChallenge()),
    tls.challengeProgram(site),
    tls.selfSignedProgram(site, EXAMPLE.client),
    ...(isNameless(site) ? [] : [tls.useProgram(site, EXAMPLE.client), ...orders(context)]),
  ];
  const texts = (await Promise.all(programs)).map(({ text }): Named => ['certificate', text]);
  return [...texts, ...(await httpOnly(context))];
}

function orders({ site, settings }: Context) {
  const requests = acmeServers(settings.acme.directoryUrl).map(
    (server) => ({ server, email: settings.acme.email ?? '' }) as CertificateRequest,
  );
  const kinds: readonly tls.Order[] = ['new', 'rehearsal', 'none'];
  return requests.flatMap((request) => kinds.map((kind) => tls.issueProgram(site, kind, request)));
}

/** A site may lack that template. */
async function httpOnly({ site, settings }: Context): Promise<Named[]> {
  try {
    const both = [false, true].map((isBeside) => tls.httpOnlyProgram(site, settings, isBeside));
    return (await Promise.all(both)).map(({ text }): Named => ['http_only', text]);
  } catch (error) {
    if (error instanceof UsageError) return [];
    throw error;
  }
}
