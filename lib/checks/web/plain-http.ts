/** What port 80 answers: a redirect to https for everything but the path of the CA's challenge. */
import { type Check, type CheckTarget, type Finding, failed, passed, warned } from '../../model/check.ts';
import { curl } from '../http/curl.ts';
import { statusAdvice } from '../http/failures.ts';
import { type Answer, isByNginx, type RequestOptions, sendRequest, urlOf } from '../http/request.ts';

const PROBE: RequestOptions = { scheme: 'http', path: '/redirect-check?a=1&b=%2F' };

/** http gives 301 to the same path and query on https, on the same host. */
export function httpRedirects(): Check {
  return {
    name: 'http to https',
    run: async (target) => judgeRedirect(await sendRequest(target, PROBE), target),
    curl: (target) => curl(target, PROBE, '-I'),
  };
}

/** Judges what http answered to the probe. */
export function judgeRedirect(
  { status, headers }: Pick<Answer, 'status' | 'headers'>,
  target: CheckTarget,
): Finding {
  const wanted = urlOf(target, { path: PROBE.path });
  if (status === 301 && headers.location === wanted) return passed(`http gives 301 to ${wanted}.`);
  const seen = headers.location === undefined ? `${status}` : `${status} to ${headers.location}`;
  const meaning = statusAdvice(status, reason(status, headers.location));
  return failed(`${urlOf(target, PROBE)} gives ${seen} instead of 301 to ${wanted}. ${meaning}`);
}

function reason(status: number, location: string | undefined): string {
  if (location === undefined)
    return 'Whoever types the name without https gets no encryption, or another site: look whether the vhost for port 80 is this one, and deploy it again.';
  if (status !== 301) return 'Only a 301 is kept by browsers: deploy the vhost again.';
  return 'Links would lead elsewhere: the vhost for port 80 should say `return 301 https://NAME$request_uri`; deploy it again.';
}

/** A file that is not there: whoever answers for the path answers for it. */
const CHALLENGE: RequestOptions = { scheme: 'http', path: '/.well-known/acme-challenge/gatepost-check' };

const LOST =
  'The CA would not find its challenge there, and the certificate would not be renewed: the vhost for port 80 needs `location ^~ /.well-known/acme-challenge/` with the webroot beside its redirect. Deploy the site again; if it stays, another vhost, a CDN or the router answers for this name.';

/** nginx itself says that there is no such file: no redirect, and no page of a backend's. */
export function challengePath(): Check {
  return {
    name: 'challenge path',
    run: async (target) => judgeChallengePath(await sendRequest(target, CHALLENGE), target),
    curl: (target) => curl(target, CHALLENGE, '-i'),
  };
}

/** Judges what came back for a file that is not there. */
export function judgeChallengePath(answer: Answer, target: CheckTarget): Finding {
  const { status, headers } = answer;
  const url = urlOf(target, CHALLENGE);
  if (status === 404 && isByNginx(answer)) return passed(`${url} is served from the webroot.`);
  if (status === 404)
    return warned(
      `${url} gives 404, and not in nginx's own words: look who answers there, since ${RENEWALS}`,
    );
  const seen = headers.location === undefined ? `${status}` : `${status} to ${headers.location}`;
  return failed(`${url} gives ${seen} instead of nginx's own 404. ${statusAdvice(status, LOST)}`);
}

const RENEWALS = 'renewals of the certificate need that path.';
