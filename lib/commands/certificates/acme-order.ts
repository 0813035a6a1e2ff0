/** A certificate from a CA: the HTTP-only vhost where there is no TLS yet, a preflight from outside, then certbot. */
import { challengePrefix, WEBROOT } from '../../model/certbot.ts';
import type { Failure } from '../../model/host-report.ts';
import * as programs from '../../program/certificate-programs.ts';
import { type PreflightResult, tryName } from './preflight.ts';
import type { BootstrapSession } from './session.ts';

const NO_CERTIFICATE = 'no new certificate';
const REHEARSED = 'the staging CA would have issued the certificate; the current one was not changed';

const isWanted = ({ isGoing, need }: BootstrapSession): boolean => isGoing && need === 'order';

/**
 * Puts the HTTP-only vhost in place. A vhost on TLS stays, since it has a challenge location; one under an earlier name stays
 * until the full site is deployed.
 */
export async function placeHttpOnly(session: BootstrapSession): Promise<void> {
  const { httpOnly, httpOnlyBeside } = session.plan;
  const { vhost } = session.report.facts;
  const program = vhost === 'other' ? httpOnlyBeside : httpOnly;
  if (!isWanted(session) || !program || vhost === 'tls') return;
  await session.apply(program);
  if (session.isGoing) session.add({ facts: { vhost: 'http-only' } });
}

/** Is certbot installed, and does the name lead to this host's webroot, as far as this machine can tell? */
export async function preflight(session: BootstrapSession): Promise<void> {
  if (!isWanted(session)) return;
  const failure = await obstacleTo(session);
  if (failure) session.fail(failure);
  if (!session.isGoing) session.explain(NO_CERTIFICATE);
}

async function obstacleTo(session: BootstrapSession): Promise<Failure | undefined> {
  const { site, flags } = session.context;
  if (!session.report.facts.certbot)
    return { code: 'certbot-missing', text: 'certbot is not installed on the proxy' };
  if (flags['no-preflight']) {
    session.warn(SKIPPED);
    return undefined;
  }
  const file = programs.newChallenge();
  await session.read(await programs.challengeProgram(site, file));
  if (!session.isGoing) return undefined;
  // The name that lib/program/sh/challenge.sh uses: sites share the webroot.
  const placed = { ...file, name: challengePrefix(site.name) + file.name };
  const { failure, warnings } = await fetchAll(session, placed);
  for (const text of warnings) session.warn(text);
  if (failure) await session.read(await programs.challengeProgram(site));
  return failure;
}

const SKIPPED =
  "--no-preflight: the challenge path is not tried first. If the CA cannot fetch http://NAME/.well-known/acme-challenge/ from the internet, the order fails, and every failure counts against its rate limits (Let's Encrypt: 5 an hour)";

/** Fetches the placed file by every name of the order; what fails from here may work from the jump host. */
async function fetchAll(session: BootstrapSession, placed: programs.ChallengeFile): Promise<PreflightResult> {
  const { site, report } = session.context;
  const { host } = session.proxy;
  const start = performance.now();
  report.print({ kind: 'begin', host, name: 'fetch' });
  const { failure: own, warnings } = await trySite(session, site.serverName, placed);
  const failure = own ?? (await tryOthers(session, placed));
  const milliseconds = Math.round(performance.now() - start);
  session.add({ milliseconds: { fetch: milliseconds } });
  report.print({ kind: 'step', host, name: 'fetch', milliseconds, ok: !failure });
  return { failure, warnings };
}

const trySite = (
  { proxy, plan }: BootstrapSession,
  name: string,
  placed: programs.ChallengeFile,
): Promise<PreflightResult> => tryName(name, placed, plan.request.isLocalCa, proxy.openFromJump);

/**
 * Tries the other names of the certificate, which the order keeps, if they use the same webroot (lib/program/sh/lineage.sh).
 * Those with a webroot of their own were validated there before.
 */
async function tryOthers(
  session: BootstrapSession,
  placed: programs.ChallengeFile,
): Promise<Failure | undefined> {
  for (const [name = '', webroot] of session.report.rows.other_name ?? []) {
    if (webroot !== WEBROOT) continue;
    const { failure } = await trySite(session, name, placed);
    if (failure)
      return { code: 'lineage-name', text: `the certificate also covers ${name}: ${failure.text}` };
  }
  return undefined;
}

/** Orders the certificate with certbot, installs the renewal hook, reloads. */
export async function orderCertificate(session: BootstrapSession): Promise<void> {
  if (!isWanted(session)) return;
  const { request } = session.plan;
  // A certificate from a CA is never replaced by a staging one.
  const kind = request.staging && session.certificate?.kind === 'ca' ? 'rehearsal' : 'new';
  await session.apply(await programs.issueProgram(session.context.site, kind, request));
  if (!session.isGoing) return session.explain(NO_CERTIFICATE);
  const issued = `${session.describeCertificate()}, issued by ${session.certificate?.issuer}`;
  session.note(kind === 'rehearsal' ? REHEARSED : issued);
}
