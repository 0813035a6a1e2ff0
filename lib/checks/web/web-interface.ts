/** The page that a browser loads, and all its assets. */
import { advised } from '../../diagnosis/row.ts';
import { SYMPTOMS } from '../../diagnosis/symptoms.ts';
import { type Check, type CheckTarget, type Finding, failed, passed, warned } from '../../model/check.ts';
import { curl } from '../http/curl.ts';
import { statusAdvice } from '../http/failures.ts';
import { type Answer, isHtml, sendRequest } from '../http/request.ts';
import { type Asset, assetFault, assetsOf, followRedirects } from './page.ts';

interface WebInterface {
  /** The path that users open. */
  readonly entry: string;
  /** A cheap API request that returns JSON. */
  readonly ping?: string;
}

/** A hostile page could reference any number of assets. */
const MOST_ASSETS = 200;

const BLANK = advised(SYMPTOMS.blank);
const WRONG_REDIRECT =
  'Check the `return` lines of the vhost and deploy the site again; if the backend itself redirects there, check its settings.';

/** Follows redirects as a browser does, then fetches the ping and every script and style sheet of the page. */
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
  return combined(page, pingFault(ping, pong));
}

/** Reports a shared cause, such as a backend that is down, only once. */
function combined(page: Finding, pingFault: string): Finding {
  if (pingFault === '') return page;
  return page.status === 'failed'
    ? { ...page, detail: `${page.detail} (Its API does not respond, either.)` }
    : failed(pingFault);
}

async function tryPage(entry: string, target: CheckTarget): Promise<Finding> {
  const destination = await followRedirects(target, entry);
  if ('fault' in destination) return failed(`${destination.fault} ${WRONG_REDIRECT}`);
  const { path, answer } = destination;
  const subject = path === entry ? entry : `${entry} redirects to ${path}, which`;
  if (answer.status !== 200)
    return failed(`${subject} returns ${answer.status}. ${statusAdvice(answer.status, BLANK)}`);
  if (!isHtml(answer)) return failed(`${subject} is not an HTML page. ${BLANK}`);
  return tryAssets(subject, assetsOf(answer.body, path, target.serverName), target);
}

async function tryAssets(subject: string, assets: readonly Asset[], target: CheckTarget): Promise<Finding> {
  if (assets.length === 0)
    return warned(
      `${subject} references no scripts or style sheets on this host: open it in a browser and check that it is the right page.`,
    );
  const fetched = assets.slice(0, MOST_ASSETS);
  const tries = fetched.map(async (asset) => {
    const answer = await sendRequest(target, { path: asset.path });
    return { fault: assetFault(asset, answer), status: answer.status };
  });
  const answers = await Promise.all(tries);
  const faults = answers.flatMap(({ fault }) => fault || []);
  const bad = answers.find(({ status }) => status !== 200)?.status ?? 200;
  if (faults.length > 0)
    return failed(`${subject} stays blank in a browser: ${faults.join('; ')}. ${statusAdvice(bad, BLANK)}`);
  if (fetched.length < assets.length)
    return warned(
      `${subject} references ${assets.length} scripts and style sheets; only the first ${MOST_ASSETS} were loaded, and they are fine. That is unusually many: open it in a browser and check that it is the right page.`,
    );
  return passed(
    `${subject} serves an HTML page; ${assets.length === 1 ? 'its 1 referenced asset loads' : `all ${assets.length} referenced assets load`}.`,
  );
}

/** The problem with the ping's response; empty if there is none. */
function pingFault(ping: string, answer: Answer): string {
  if (answer.status !== 200) return `${ping} returns ${answer.status}. ${statusAdvice(answer.status, BLANK)}`;
  return isHtml(answer) ? `${ping} returns an HTML page instead of the API response. ${BLANK}` : '';
}
