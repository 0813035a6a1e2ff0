/** Paths reach the service that they belong to, or nobody. */
import { type Check, type CheckTarget, type Finding, failed, passed } from '../../model/check.ts';
import { curl } from '../http/curl.ts';
import { statusAdvice } from '../http/failures.ts';
import { type Answer, isByNginx, isHtml, sendRequest } from '../http/request.ts';

interface Tried {
  readonly path: string;
  readonly answer: Pick<Answer, 'status' | 'headers' | 'body'>;
}

/** Each path reaches `service`, which may answer with any status (200, 401, a JSON 404): what counts is who answers. */
export function reaches(service: string, paths: readonly string[]): Check {
  return {
    name: service,
    run: async (target) => judgeReached(service, await tryAll(paths, target)),
    curl: (target) => curl(target, { path: paths[0] ?? '/' }, '-i'),
  };
}

/** Each path is closed: nginx itself answers 404. */
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

/** A service's answer is neither a page of HTML nor nginx's own. */
export function judgeReached(service: string, all: readonly Tried[]): Finding {
  const lost = all.filter(({ answer }) => isHtml(answer));
  if (lost.length === 0)
    return passed(`${all.map(({ path, answer }) => `${path} (${answer.status})`).join(', ')} reach it.`);
  const seen = lost.map(({ path, answer }) => `${path} gives ${pageOf(answer)}`).join('; ');
  const status = lost.find(({ answer }) => isByNginx(answer))?.answer.status ?? 200;
  return failed(`${service} is not reached: ${seen}. ${statusAdvice(status, ASTRAY)}`);
}

const ASTRAY =
  'Another location of the vhost takes the path: look whether the vhost was changed by hand, or a newer one overlaps, and deploy the site again.';

/** Each of these paths gives 404, by nginx itself. */
export function judgeClosed(all: readonly Tried[]): Finding {
  const open = all.filter(({ answer }) => !(answer.status === 404 && isByNginx(answer)));
  if (open.length === 0) return passed(`${all.map(({ path }) => path).join(', ')}: 404 by nginx.`);
  const seen = open.map(({ path, answer: { status } }) => `${path} gives ${status}`).join('; ');
  return failed(
    `What is for the inside only is open, or its answer is not nginx's own 404: ${seen}. Look whether the vhost was changed by hand, and deploy the site again.`,
  );
}

function pageOf(answer: Tried['answer']): string {
  return isByNginx(answer) ? `nginx's own ${answer.status}` : `a page of HTML (${answer.status})`;
}
