/** Plain http leads to the same path on https. */
import { type Check, type CheckTarget, type Finding, failed, passed } from '../../model/check.ts';
import { explainStatus } from '../http/advice.ts';
import { curl } from '../http/curl.ts';
import { type Answer, type Ask, ask, urlOf } from '../http/request.ts';

const PROBE: Ask = { scheme: 'http', path: '/redirect-check?a=1&b=%2F' };

/** http gives 301 to the same path and query on https, on the same host. */
export function httpRedirects(): Check {
  return {
    name: 'http to https',
    run: async (target) => judgeRedirect(await ask(target, PROBE), target),
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
  const meaning = explainStatus(status, reason(status, headers.location));
  return failed(`${urlOf(target, PROBE)} gives ${seen} instead of 301 to ${wanted}. ${meaning}`);
}

function reason(status: number, location: string | undefined): string {
  if (location === undefined)
    return 'Whoever types the name without https gets no encryption, or another site: look whether the vhost for port 80 is this one, and deploy it again.';
  if (status !== 301) return 'Only a 301 is kept by browsers: deploy the vhost again.';
  return 'Links would lead elsewhere: the vhost for port 80 should say `return 301 https://NAME$request_uri`; deploy it again.';
}
