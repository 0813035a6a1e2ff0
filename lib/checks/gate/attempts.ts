/** The requests that the gate must reject, and how its responses are judged. */
import { type Finding, failed, passed, warned } from '../../model/check.ts';
import type { Answer } from '../http/request.ts';

interface Attempt {
  readonly name: string;
  /** Header lines to send, by name. */
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly rejectedWith: readonly number[];
}

/** The response to one attempt on one path. */
interface AttemptOutcome {
  readonly path: string;
  readonly attempt: Attempt;
  readonly answer: Pick<Answer, 'status' | 'headers'>;
}

/** The gate returns 429 when it rate-limits an IP address, after 100 rejected requests. */
const GATE = [401, 429];
/** nginx itself rejects a duplicate Authorization header with 400. */
const DUPLICATE = [400, ...GATE];

/**
 * The attempts on `paths`: on each without a token, because their locations may differ; with an invalid one on the first and the
 * last, because all match tokens in the same way. At most 12 attempts on two paths. If the valid token is known, invalid ones
 * differ from it as little as possible.
 */
export function attempts(paths: readonly string[], token?: string): readonly (Attempt & { path: string })[] {
  const wrong = `${token ?? 'no-such-bearer-'}x`;
  return paths.flatMap((path, index) =>
    [
      attempt('no token', {}),
      ...(index === 0 ? withAuthorization(wrong, token) : []),
      ...(index === paths.length - 1 ? withApiKey(wrong, token) : []),
    ].map((some) => ({ ...some, path })),
  );
}

const attempt = (name: string, headers: Attempt['headers'], rejectedWith = GATE): Attempt => ({
  name,
  headers,
  rejectedWith,
});

function withAuthorization(wrong: string, token: string | undefined): readonly Attempt[] {
  const header = (...tokens: string[]) => ({ Authorization: tokens.map((value) => `Bearer ${value}`) });
  const right = token ?? 'no-such-bearer';
  const cased = swapCase(token ?? '');
  return [
    attempt('an invalid token', header(wrong)),
    ...(cased === (token ?? '') ? [] : [attempt(CASE_CHANGED, header(cased))]),
    attempt('an empty token', { Authorization: ['Bearer'] }),
    attempt('an empty header', { Authorization: [''] }),
    attempt('a duplicate header (valid token first)', header(right, wrong), DUPLICATE),
    attempt('a duplicate header (invalid token first)', header(wrong, right), DUPLICATE),
  ];
}

/** nginx before 1.23 uses the first of duplicate header lines, later versions join them: the invalid token comes first. */
function withApiKey(wrong: string, token: string | undefined): readonly Attempt[] {
  const header = (...values: string[]) => ({ 'X-Api-Key': values });
  const cased = swapCase(token ?? '');
  return [
    attempt('an invalid X-Api-Key', header(wrong)),
    ...(cased === (token ?? '') ? [] : [attempt(CASE_CHANGED_KEY, header(cased))]),
    attempt('an empty X-Api-Key', header('')),
    attempt('a duplicate X-Api-Key', header(wrong, token ?? 'no-such-bearer')),
  ];
}

const CASE_CHANGED = 'the token in changed letter case';
const CASE_CHANGED_KEY = 'an X-Api-Key in changed letter case';

/** All attempts as one finding. */
export function judgeRefusals(outcomes: readonly AttemptOutcome[]): Finding {
  const open = outcomes.filter(({ attempt, answer }) => !attempt.rejectedWith.includes(answer.status));
  if (open.length > 0) return failed(`${seen(open)} ${meaning(open)}`);
  const unannounced = outcomes.filter(({ answer }) => answer.status === 401 && !challenges(answer));
  if (unannounced.length > 0)
    return warned(
      `${seen(unannounced)} The request is rejected, but without \`WWW-Authenticate: Bearer\` (RFC 9110). Deploy the site again.`,
    );
  return passed(
    `Rejected on ${unique(outcomes.map(({ path }) => path)).join(' and ')}: ${namesOf(outcomes)}.`,
  );
}

function meaning(open: readonly AttemptOutcome[]): string {
  const passing = open.filter(({ answer }) => answer.status < 300 || answer.status >= 500);
  if (passing.length === 0)
    return 'This response is not from the gate. Check that the site is deployed, and whether another vhost or location answers here.';
  if (passing.every(({ attempt: { name } }) => name === CASE_CHANGED || name === CASE_CHANGED_KEY))
    return 'The gate ignores letter case, as nginx does for string keys of a map, which makes tokens easier to guess. The map needs a `"~^…\\z"` key: deploy the site again.';
  const problem = passing.some(({ attempt }) => Object.keys(attempt.headers).length === 0)
    ? 'The gate is open: anyone can use the models'
    : 'The gate accepts requests without a valid token';
  return `${problem}. Deploy the site again. If the problem persists, check with \`nginx -T\` on the proxy that the location tests the variable of the token map before proxy_pass, and remove the site with \`npx tsx scripts/remove.ts\` until it is fixed.`;
}

function seen(outcomes: readonly AttemptOutcome[]): string {
  const statuses = unique(outcomes.map(({ answer }) => answer.status));
  const lines = statuses.map((status) => {
    const some = outcomes.filter(({ answer }) => answer.status === status);
    return `${unique(some.map(({ path }) => path)).join(' and ')} returned ${status} for ${namesOf(some)}`;
  });
  return `${lines.join('; ')}.`;
}

const namesOf = (outcomes: readonly AttemptOutcome[]) =>
  unique(outcomes.map(({ attempt }) => attempt.name)).join(', ');
const unique = <T>(values: readonly T[]): T[] => [...new Set(values)];

function challenges({ headers }: AttemptOutcome['answer']): boolean {
  return /^Bearer\b/i.test(headers['www-authenticate'] ?? '');
}

function swapCase(text: string): string {
  return text.replace(/[A-Za-z]/g, (letter) => (letter < 'a' ? letter.toLowerCase() : letter.toUpperCase()));
}
