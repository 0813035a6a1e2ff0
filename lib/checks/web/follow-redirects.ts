/** Follows redirects as a browser does, but never silently to another host. */
import type { CheckTarget } from '../../model/check.ts';
import { type Answer, ask, urlOf } from '../http/request.ts';

const REDIRECTS = 5;

/** Where a path ends, or why it does not end on this host. */
type Landing = { readonly path: string; readonly answer: Answer } | { readonly astray: string };

/** Asks for a path and follows its redirects on this host, at most five. */
export async function land(target: CheckTarget, entry: string, left = REDIRECTS): Promise<Landing> {
  const answer = await ask(target, { path: entry });
  const { location } = answer.headers;
  if (answer.status < 300 || answer.status > 399 || location === undefined) return { path: entry, answer };
  const next = nextOf(location, entry, target);
  if ('astray' in next) return next;
  return left > 0
    ? land(target, next.path, left - 1)
    : { astray: `${entry} is the last of ${REDIRECTS} redirects and leads on.` };
}

/** Where a redirect leads: a path on this host, or astray. */
export function nextOf(
  location: string,
  from: string,
  target: CheckTarget,
): { path: string } | { astray: string } {
  const base = urlOf(target, { path: from });
  const here = new URL(base);
  const there = URL.canParse(location, base) ? new URL(location, base) : undefined;
  if (there?.origin === here.origin) return { path: there.pathname + there.search };
  return { astray: `${from} leads away from ${here.origin}, to ${location}, which was not followed.` };
}
