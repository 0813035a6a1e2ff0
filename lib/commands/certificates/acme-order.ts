/** A certificate from a CA: the HTTP-only vhost where there is no TLS yet, a try from outside, then certbot. */
import { challengePrefix, WEBROOT } from '../../model/certificate-files.ts';
import type { Failure } from '../../model/host-report.ts';
import type { Program } from '../../model/run.ts';
import * as programs from '../../program/certificate-programs.ts';
import { resolveName, tryChallenge } from './preflight.ts';
import {
  type BootstrapSession,
  currentCertificate,
  describeCertificate,
  fail,
  note,
  noteWhatServes,
  runStep,
} from './session.ts';

/** Orders one; false when none came. A vhost on TLS stays as it is: its own challenge location serves. */
export async function orderCertificate(session: BootstrapSession, httpOnly: Program): Promise<boolean> {
  if (session.account.facts.vhost !== 'tls' && !(await placeHttpOnly(session, httpOnly))) return false;
  const ordered = (await isReady(session)) && (await askCa(session));
  if (!ordered) noteWhatServes(session, 'no new certificate');
  return ordered;
}

async function placeHttpOnly(session: BootstrapSession, httpOnly: Program): Promise<boolean> {
  if (!(await runStep(session, httpOnly))) return false;
  session.account.facts.vhost = 'http-only';
  return true;
}

/** Is certbot there, and does the name lead to this host's webroot, as far as this machine can see? */
async function isReady(session: BootstrapSession): Promise<boolean> {
  const { serverName } = session.context.site;
  if (session.account.facts.certbot !== 'yes')
    return fail(session, { code: 'certbot-missing', text: 'there is no certbot on the proxy' });
  const resolved = await resolveName(serverName);
  if ('failure' in resolved) return fail(session, resolved.failure);
  const file = programs.newChallenge();
  if (!(await runStep(session, await programs.challengeProgram(session.context.site, file), false)))
    return false;
  return fetchAll(session, resolved.addresses, file);
}

async function fetchAll(
  session: BootstrapSession,
  addresses: readonly string[],
  file: programs.ChallengeFile,
): Promise<boolean> {
  const { site, report } = session.context;
  const { host } = session.remote;
  const start = performance.now();
  report.tell({ kind: 'begin', host, name: 'fetch' });
  // As lib/program/sh/challenge.sh has it: sites share the webroot.
  const placed = { ...file, name: challengePrefix(site.name) + file.name };
  const own = await tryChallenge(site.serverName, addresses, placed, session.request.isLocalCa);
  const { warnings } = own;
  const failure = own.failure ?? (await tryOthers(session, placed));
  const milliseconds = Math.round(performance.now() - start);
  session.account.milliseconds.fetch = milliseconds;
  report.tell({ kind: 'step', host, name: 'fetch', milliseconds, ok: !failure });
  for (const text of warnings) report.tell({ kind: 'warning', host, text });
  if (!failure) return true;
  await runStep(session, await programs.challengeProgram(site), false);
  return fail(session, failure);
}

/**
 * The other names of the certificate that the order keeps, where the same webroot must prove them (lib/program/sh/lineage.sh).
 * A webroot of their own has proven them before; the CA will see.
 */
async function tryOthers(
  session: BootstrapSession,
  placed: programs.ChallengeFile,
): Promise<Failure | undefined> {
  for (const [name = '', webroot] of session.account.rows.other_name ?? []) {
    if (webroot !== WEBROOT) continue;
    const found = await resolveName(name);
    const failure =
      'failure' in found
        ? found.failure
        : (await tryChallenge(name, found.addresses, placed, session.request.isLocalCa)).failure;
    if (failure)
      return { code: 'lineage-name', text: `the certificate there also names ${name}: ${failure.text}` };
  }
  return undefined;
}

async function askCa(session: BootstrapSession): Promise<boolean> {
  const kind = kindOf(session);
  if (!(await runStep(session, await programs.issueProgram(session.context.site, kind, session.request))))
    return false;
  note(
    session,
    kind === 'rehearsal'
      ? REHEARSED
      : `${describeCertificate(session)}, issued by ${currentCertificate(session)?.issuer}`,
  );
  return true;
}

const REHEARSED = 'the staging CA would have issued; the certificate there stays as it is';

/** A certificate from a CA is never given up for a staging one. */
const kindOf = (session: BootstrapSession): programs.Order =>
  session.request.staging && currentCertificate(session)?.kind === 'ca' ? 'rehearsal' : 'new';
