/** Port 80 redirects everything to HTTPS except the path of the ACME challenge. */
import { type Check, type CheckTarget, type Finding, failed, passed, warned } from '../../model/check.ts';
import { curl } from '../http/curl.ts';
import { statusAdvice } from '../http/failures.ts';
import { type Answer, isByNginx, type RequestOptions, sendRequest, urlOf } from '../http/request.ts';

const PROBE: RequestOptions = { scheme: 'http', path: '/redirect-check?a=1&b=%2F' };

/** HTTP returns a 301 to the same path and query on the same host over HTTPS. */
export function httpRedirects(): Check {
  return {
    name: 'http to https',
    run: async (target) => judgeRedirect(await sendRequest(target, PROBE), target),
    curl: (target) => curl(target, PROBE, '-I'),
  };
}

/** Judges the response to the probe over HTTP. */
export function judgeRedirect(
  { status, headers }: Pick<Answer, 'status' | 'headers'>,
  target: CheckTarget,
): Finding {
  const expected = urlOf(target, { path: PROBE.path });
  if (status === 301 && headers.location === expected) return passed(`http redirects to ${expected} (301).`);
  const seen = headers.location === undefined ? `${status}` : `${status} to ${headers.location}`;
  const advice = statusAdvice(status, reason(status, headers.location));
  return failed(`${urlOf(target, PROBE)} returns ${seen} instead of 301 to ${expected}. ${advice}`);
}

function reason(status: number, location: string | undefined): string {
  if (location === undefined)
    return 'Visitors who type the name without https get an unencrypted page or another site. Check that the vhost for port 80 is the one of this site, and deploy it again.';
  if (status !== 301) return 'Browsers cache only a 301: deploy the site again.';
  return 'Links would redirect to the wrong address. The vhost for port 80 should have `return 301 https://NAME$request_uri`: deploy the site again.';
}

/** A file that does not exist: the response shows which server handles the path. */
const CHALLENGE: RequestOptions = { scheme: 'http', path: '/.well-known/acme-challenge/gatepost-check' };

const NOT_SERVED =
  'The CA would not find its challenge there, so the certificate could not be renewed. The vhost for port 80 needs `location ^~ /.well-known/acme-challenge/` with the webroot, in addition to its redirect. Deploy the site again; if the problem persists, another vhost, a CDN or the router answers for this name.';

/** nginx itself reports the missing file: no redirect, no page from a backend. */
export function challengePath(): Check {
  return {
    name: 'challenge path',
    run: async (target) => judgeChallengePath(await sendRequest(target, CHALLENGE), target),
    curl: (target) => curl(target, CHALLENGE, '-i'),
  };
}

/** Judges the response for the missing file. */
export function judgeChallengePath(answer: Answer, target: CheckTarget): Finding {
  const { status, headers } = answer;
  const url = urlOf(target, CHALLENGE);
  if (status === 404 && isByNginx(answer)) return passed(`${url} is served from the webroot.`);
  if (status === 404)
    return warned(
      `${url} returns a 404 that is not from nginx. Check which server answers there: certificate renewals need that path.`,
    );
  const seen = headers.location === undefined ? `${status}` : `${status} to ${headers.location}`;
  return failed(`${url} returns ${seen} instead of a 404 by nginx. ${statusAdvice(status, NOT_SERVED)}`);
}
