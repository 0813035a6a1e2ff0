/** Loads a page as a browser does: follows redirects, lists the referenced assets, and judges them. */
import { advised } from '../../diagnosis/row.ts';
import { SYMPTOMS } from '../../diagnosis/symptoms.ts';
import type { CheckTarget } from '../../model/check.ts';
import { type Answer, isHtml, sendRequest, urlOf } from '../http/request.ts';

export interface Asset {
  /** Path and query on this host. */
  readonly path: string;
  readonly kind: 'script' | 'style';
}

const TYPES = { script: /\b(javascript|ecmascript)\b/, style: /\btext\/css\b/ } as const;

/** Every script and style sheet of the page on this host; those on other hosts are not fetched. */
export function assetsOf(html: string, pagePath: string, host: string): readonly Asset[] {
  const base = `https://${host}${pagePath}`;
  const named = [...html.matchAll(/<(script|link)\b([^>]*)>/gi)].map(([, tag = '', rest = '']) =>
    assetIn(tag, rest),
  );
  const here = named.flatMap((found) => {
    const url = found === undefined ? null : parsed(found.address, base);
    return found && url?.hostname === host ? [{ path: url.pathname + url.search, kind: found.kind }] : [];
  });
  return [...new Map(here.map((asset) => [asset.path, asset])).values()];
}

function assetIn(tag: string, attributes: string) {
  if (tag.toLowerCase() === 'script') return found(attribute(attributes, 'src'), 'script');
  const rel = attribute(attributes, 'rel')?.toLowerCase().split(/\s+/) ?? [];
  if (rel.includes('stylesheet')) return found(attribute(attributes, 'href'), 'style');
  return rel.includes('modulepreload') ? found(attribute(attributes, 'href'), 'script') : undefined;
}

function found(address: string | undefined, kind: Asset['kind']) {
  return address === undefined ? undefined : { address, kind };
}

function attribute(attributes: string, name: string): string | undefined {
  const match = new RegExp(`(?:^|[\\s"'])${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s"'>]+))`, 'i').exec(
    attributes,
  );
  return (match?.[1] ?? match?.[2] ?? match?.[3])?.replaceAll('&amp;', '&');
}

/** The problem with an asset; empty if there is none. */
export function assetFault({ path, kind }: Asset, answer: Answer): string {
  const type = answer.headers['content-type'] ?? 'no content type';
  if (answer.status !== 200) return `${path} returns ${answer.status}`;
  if (isHtml(answer)) return `${path} returns an HTML page instead of a ${kind}`;
  if (!TYPES[kind].test(type))
    return `${path} has content type ${type}, which browsers do not accept for a ${kind}`;
  return answer.body.trim() === '' ? `${path} is empty` : '';
}

function parsed(address: string, base: string): URL | null {
  return URL.canParse(address, base) ? new URL(address, base) : null;
}

const REDIRECTS = 5;

/** The end of a redirect chain: the final path and its response, or why it does not end on this host. */
type Destination = { readonly path: string; readonly answer: Answer } | { readonly fault: string };

/** Requests a path and follows its redirects on this host, at most five. */
export async function followRedirects(
  target: CheckTarget,
  entry: string,
  left = REDIRECTS,
): Promise<Destination> {
  const answer = await sendRequest(target, { path: entry });
  const { location } = answer.headers;
  if (answer.status < 300 || answer.status > 399 || location === undefined) return { path: entry, answer };
  const next = nextOf(location, entry, target);
  if ('fault' in next) return next;
  if (next.path === entry)
    return { fault: `${entry} redirects to itself. ${advised(SYMPTOMS.redirectLoop)}` };
  return left > 0
    ? followRedirects(target, next.path, left - 1)
    : { fault: `${entry} still redirects after ${REDIRECTS} redirects.` };
}

/** A redirect's target: a path on this host, or why it is not followed. */
export function nextOf(
  location: string,
  from: string,
  target: CheckTarget,
): { path: string } | { fault: string } {
  const base = urlOf(target, { path: from });
  const here = new URL(base);
  const there = URL.canParse(location, base) ? new URL(location, base) : undefined;
  if (there?.origin === here.origin) return { path: there.pathname + there.search };
  return { fault: `${from} redirects from ${here.origin} to ${location}, which was not followed.` };
}
