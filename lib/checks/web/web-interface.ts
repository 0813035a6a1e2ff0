/** The page that a browser ends on, and everything it needs to run. */
import { advised } from '../../diagnosis/row.ts';
import { SYMPTOMS } from '../../diagnosis/symptoms.ts';
import { type Check, type CheckTarget, type Finding, failed, passed, warned } from '../../model/check.ts';
import { curl } from '../http/curl.ts';
import { statusAdvice } from '../http/failures.ts';
import { type Answer, isHtml, sendRequest } from '../http/request.ts';
import { type Asset, assetFault, assetsOf, followRedirects } from './page.ts';

interface WebInterface {
  /** The path that people open. */
  readonly entry: string;
  /** The cheap probe of the API behind it, which answers in JSON. */
  readonly ping?: string;
}

const ROOT = advised(SYMPTOMS.blank);
const ASTRAY =
  'Look at the `return` lines of the vhost and deploy it again; if the backend itself sends there, look at its settings.';

/** Follows redirects as a browser would, then fetches every script and style that the page names, and the ping. */
export function webInterface(options: WebInterface): Check {
  return {
    name: 'web interface',
    run: (target) => check(options, target),
    curl: (target) => curl(target, { path: options.entry }, '-iL'),
  };
}

async function check({ entry, ping }: WebInterface, target: CheckTarget): Promise<Finding> {
  if (ping === undefined) return tryPage(entry, target);
  const [page, pong] = await Promise.all([tryPage(entry, target), sendRequest(target, { path: ping })]);
  return both(page, pingFault(ping, pong));
}

/** One fault said twice, such as a backend that is down, is said once. */
function both(page: Finding, pong: string): Finding {
  if (pong === '') return page;
  return page.status === 'failed'
    ? { ...page, detail: `${page.detail} (Its API does not answer either.)` }
    : failed(pong);
}

async function tryPage(entry: string, target: CheckTarget): Promise<Finding> {
  const landing = await followRedirects(target, entry);
  if ('astray' in landing) return failed(`${landing.astray} ${ASTRAY}`);
  const { path, answer } = landing;
  const way = path === entry ? entry : `${entry} leads to ${path}, which`;
  if (answer.status !== 200)
    return failed(`${way} gives ${answer.status}. ${statusAdvice(answer.status, ROOT)}`);
  if (!isHtml(answer)) return failed(`${way} is no page of HTML. ${ROOT}`);
  return tryAssets(way, assetsOf(answer.body, path, target.serverName), target);
}

async function tryAssets(way: string, assets: readonly Asset[], target: CheckTarget): Promise<Finding> {
  if (assets.length === 0)
    return warned(
      `${way} names no script and no style of this host: open it in a browser and see whether it is the right page.`,
    );
  const tries = assets.map(async (asset) => ({
    asset,
    answer: await sendRequest(target, { path: asset.path }),
  }));
  const answers = await Promise.all(tries);
  const faults = answers.flatMap(({ asset, answer }) => assetFault(asset, answer) || []);
  const bad = answers.find(({ answer }) => answer.status !== 200)?.answer.status ?? 200;
  if (faults.length > 0)
    return failed(`${way} stays blank in a browser: ${faults.join('; ')}. ${statusAdvice(bad, ROOT)}`);
  return passed(`${way} is a page with all of its ${assets.length} scripts and styles.`);
}

/** What is wrong with the answer to the ping; empty when nothing is. */
function pingFault(ping: string, answer: Answer): string {
  if (answer.status !== 200) return `${ping} gives ${answer.status}. ${statusAdvice(answer.status, ROOT)}`;
  return isHtml(answer) ? `${ping} gives a page of HTML instead of the API's answer. ${ROOT}` : '';
}
