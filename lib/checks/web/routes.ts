/** Paths reach the service they belong to, or are closed. */
import { type Check, type CheckTarget, type Finding, failed, passed } from '../../model/check.ts';
import { curl } from '../http/curl.ts';
import { statusAdvice } from '../http/failures.ts';
import { type Answer, isByNginx, isHtml, sendRequest } from '../http/request.ts';

interface Tried {
  readonly path: string;
  readonly answer: Pick<Answer, 'status' | 'headers' | 'body'>;
}

/** Each path reaches `service`. Any status counts (200, 401, a JSON 404) if that service sent it. */
export function reaches(service: string, paths: readonly string[]): Check {
  return {
    name: service,
    run: async (target) => judgeReached(service, await tryAll(paths, target)),
    curl: (target) => curl(target, { path: paths[0] ?? '/' }, '-i'),
  };
}

/** Each path is closed: nginx itself returns 404. */
export function closed(paths: readonly string[]): Check {
  return {
    name: 'closed paths',
    run: async (target) => judgeClosed(await tryAll(paths, target)),
    curl: (target) => curl(target, { path: paths[0] ?? '/' }, '-i'),
  };
}

function tryAll(paths: readonly string[], target: CheckTarget): Promise<Tried[]> {
  return Promise.all(paths.map(async (path) => ({ path, answer: await sendRequest(target, { path }) })));
}

/** The service's responses are neither HTML pages nor error pages of nginx. */
export function judgeReached(service: string, all: readonly Tried[]): Finding {
  const misrouted = all.filter(({ answer }) => isHtml(answer));
  if (misrouted.length === 0)
    return passed(`${all.map(({ path, answer }) => `${path} (${answer.status})`).join(', ')} reached.`);
  const seen = misrouted.map(({ path, answer }) => `${path} returns ${pageOf(answer)}`).join('; ');
  const status = misrouted.find(({ answer }) => isByNginx(answer))?.answer.status ?? 200;
  return failed(`${service} is not reached: ${seen}. ${statusAdvice(status, WRONG_LOCATION)}`);
}

const WRONG_LOCATION =
  'Another location of the vhost matches the path. Check whether the vhost was edited by hand or a newer one overlaps, and deploy the site again.';

/** nginx itself returns 404 for each of these paths. */
export function judgeClosed(all: readonly Tried[]): Finding {
  const open = all.filter(({ answer }) => !(answer.status === 404 && isByNginx(answer)));
  if (open.length === 0) return passed(`${all.map(({ path }) => path).join(', ')}: 404 by nginx.`);
  const seen = open.map(({ path, answer: { status } }) => `${path} returns ${status}`).join('; ');
  return failed(
    `Internal paths are open, or their response is not a 404 by nginx: ${seen}. Check whether the vhost was edited by hand, and deploy the site again.`,
  );
}

function pageOf(answer: Tried['answer']): string {
  return isByNginx(answer) ? `an nginx error page (${answer.status})` : `an HTML page (${answer.status})`;
}
