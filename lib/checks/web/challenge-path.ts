/** The path where a CA looks for its challenge is served on port 80, so that the certificate can be renewed. */
import { type Check, type CheckTarget, type Finding, failed, passed, warned } from '../../model/check.ts';
import { explainStatus } from '../http/advice.ts';
import { curl } from '../http/curl.ts';
import { type Answer, type Ask, ask, urlOf } from '../http/request.ts';
import { isByNginx } from './page-assets.ts';

/** A file that is not there: whoever answers for the path answers for it. */
const PROBE: Ask = { scheme: 'http', path: '/.well-known/acme-challenge/gatepost-check' };

const LOST =
  'The CA would not find its challenge there, and the certificate would not be renewed: the vhost for port 80 needs `location ^~ /.well-known/acme-challenge/` with the webroot beside its redirect. Deploy the site again; if it stays, another vhost, a CDN or the router answers for this name.';

/** nginx itself says that there is no such file: no redirect, and no page of a backend's. */
export function challengePath(): Check {
  return {
    name: 'challenge path',
    run: async (target) => judgeChallengePath(await ask(target, PROBE), target),
    curl: (target) => curl(target, PROBE, '-i'),
  };
}

/** Judges what came back for a file that is not there. */
export function judgeChallengePath(answer: Answer, target: CheckTarget): Finding {
  const { status, headers } = answer;
  const url = urlOf(target, PROBE);
  if (status === 404 && isByNginx(answer)) return passed(`${url} is served from the webroot.`);
  if (status === 404)
    return warned(
      `${url} gives 404, and not in nginx's own words: look who answers there, since ${RENEWALS}`,
    );
  const seen = headers.location === undefined ? `${status}` : `${status} to ${headers.location}`;
  return failed(`${url} gives ${seen} instead of nginx's own 404. ${explainStatus(status, LOST)}`);
}

const RENEWALS = 'renewals of the certificate need that path.';
