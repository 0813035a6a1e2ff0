/** The steps to a good certificate and the full site on one host. */
import { certificateFault } from '../../model/certificate.ts';
import { failureCode } from '../../model/contract.ts';
import type { Failure, HostReport } from '../../model/host-report.ts';
import { renewalFaults, renewalOf } from '../../model/renewal.ts';
import {
  httpOnlyProgram,
  inspectProgram,
  issueProgram,
  selfSignedName,
  selfSignedProgram,
  useProgram,
} from '../../program/certificate-programs.ts';
import type { Context } from '../context.ts';
import { planDeploy } from '../deploy.ts';
import type { RolloutProxy } from '../rollout.ts';
import { certificateRequestOf } from './options.ts';
import { type BootstrapPlan, BootstrapSession } from './session.ts';

/** The flags that only bootstrap-tls.ts has. */
export const OWN_FLAGS = [
  'staging',
  'force-renewal',
  'self-signed',
  'use-certificate',
  'no-preflight',
] as const;

/**
 * The requested certificate, the HTTP-only vhost if an order may need it, and the deploy of the full site.
 * @throws UsageError with everything that is wrong with flags, settings and templates
 */
export async function planBootstrap(context: Context): Promise<BootstrapPlan> {
  const request = certificateRequestOf(context);
  const { site, settings } = context;
  if (request.method !== 'order') return { request, deploy: await planDeploy(context) };
  return {
    request,
    httpOnly: await httpOnlyProgram(site, settings),
    httpOnlyBeside: await httpOnlyProgram(site, settings, true),
    deploy: await planDeploy(context),
  };
}

/** Inspects the TLS setup of the host, and decides how it gets a good certificate. */
export async function inspect(
  context: Context,
  proxy: RolloutProxy,
  plan: BootstrapPlan,
): Promise<BootstrapSession> {
  const report = await proxy.read(await inspectProgram(context.site));
  const session = new BootstrapSession(context, proxy, plan, report);
  if (session.isGoing) decide(session);
  return session;
}

function decide(session: BootstrapSession): void {
  const { plan, context, report } = session;
  const { method } = plan.request;
  const why = reason(session);
  const obstacle = why === '' ? undefined : obstacleOf(session);
  if (why === '') session.note(`${session.describeCertificate()}; no new one is requested`);
  if (obstacle) session.fail(obstacle, 'refused');
  if (why === '' || obstacle) return;
  const usable = method === 'order' ? (report.rows.usable ?? []) : [];
  for (const [name] of usable)
    session.note(
      `certbot has a certificate that covers the name, ${name}; to use it: --use-certificate ${name}`,
    );
  if (method === 'order' && context.settings.access.hosts.length > 1) session.warn(ONE_OF_SEVERAL);
  const isDry = context.flags['dry-run'];
  session.note(`${why}: ${(method === 'use' ? USING : REQUESTING)[isDry ? 1 : 0]}`);
  if (!isDry) session.need = method;
}

const ONE_OF_SEVERAL =
  'this is one of several proxies, and the CA validates the name only where it resolves to: request the certificate there (--host), then copy it to the others, now and after each renewal: docs/fleets.md, Certificates';
const REQUESTING = ['requesting a new one', 'a new one would be requested'] as const;
const USING = ['using the other one', 'the other one would be used'] as const;

/** What prevents a new certificate, as lib/program/sh/lineage.sh reports it; only an order loses names or needs certbot. */
function obstacleOf({ plan: { request }, report }: BootstrapSession): Failure | undefined {
  const [found] = report.rows.obstacle ?? [];
  if (!found) return undefined;
  const [word = '', text = '', advice = ''] = found;
  const code = failureCode(word);
  const isFor = request.method === 'order' || code === 'linked' || code === 'managed';
  return isFor ? { code, text, advice } : undefined;
}

const ACCEPTED = {
  order: ['ca'],
  use: ['ca', 'staging'],
  staging: ['staging'],
  'self-signed': ['ca', 'self-signed'],
} as const;

/** Why a new certificate is needed; empty if it is not. */
function reason({ plan: { request }, report, certificate, context, proxy }: BootstrapSession): string {
  if (request.method === 'use' && report.facts.lineage !== request.name)
    return `--use-certificate ${request.name}`;
  if (certificate && report.facts.key === 'other') return 'the private key does not match the certificate';
  if (certificate && report.facts.key !== 'yes') return 'the private key of the certificate is missing';
  if (request.force) return '--force-renewal';
  if (request.staging && certificate?.kind !== 'staging') return '--staging';
  const name = selfSignedName(context.site, proxy.host);
  const accepted = ACCEPTED[request.staging ? 'staging' : request.method];
  return certificateFault(certificate, name, accepted, new Date());
}

/** Creates a self-signed certificate on the host. */
export async function selfSign(session: BootstrapSession): Promise<void> {
  if (!session.isGoing || session.need !== 'self-signed') return;
  await session.apply(await selfSignedProgram(session.context.site, session.proxy.host));
  if (session.isGoing)
    session.note(
      `${session.describeCertificate()}, signed by the proxy itself; clients must be configured to trust it`,
    );
}

/** Uses a certificate that certbot has under another name. */
export async function useOtherCertificate(session: BootstrapSession): Promise<void> {
  const { name } = session.plan.request;
  if (!session.isGoing || session.need !== 'use' || name === undefined) return;
  await session.apply(await useProgram(session.context.site, name));
  if (session.isGoing) session.note(session.describeCertificate());
}

/**
 * If certbot renews a good certificate and the hook is missing or old, installs the hook, and makes nginx serve what certbot
 * may have renewed without it.
 */
export async function repairRenewalHook(session: BootstrapSession): Promise<void> {
  const { context, plan, report, need } = session;
  if (!session.isGoing || plan.request.method === 'self-signed') return;
  const isHookBad = report.facts.renewed_by === 'certbot' && report.facts.hook !== 'yes';
  if (need === 'none' && isHookBad && !context.flags['dry-run'])
    await session.apply(await issueProgram(context.site, 'none', plan.request));
  if (!session.isGoing || session.report.certificate === undefined) return;
  const { facts } = session.report;
  for (const text of renewalFaults(renewalOf(facts), facts.certbot)) session.warn(text);
}

/** Deploys the full site; the report also has the certificate, for --json. */
export async function deployFullSite(session: BootstrapSession): Promise<HostReport> {
  if (session.isGoing) {
    const hasChanged = session.report.outcome === 'applied';
    await session.apply(session.plan.deploy.program);
    if (hasChanged) session.explain('the certificate is in place, the full site is not');
  }
  const { certificate, report } = session;
  if (!certificate) return report;
  const facts = {
    ...report.facts,
    certificate_kind: certificate.kind,
    certificate_until: certificate.until.toISOString(),
    certificate_sha256: certificate.fingerprint,
  };
  return { ...report, facts };
}
