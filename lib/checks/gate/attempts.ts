/** The requests that the gate must reject, and how its responses are judged. */
import { type Finding, failed, passed, warned } from '../../model/check.ts';
import type { Answer } from '../http/request.ts';

interface Attempt {
  readonly name: string;
  /** The Authorization header lines to send; empty for none. */
  readonly authorization: readonly string[];
  readonly rejectedWith: readonly number[];
}

/** The response to one attempt on one path. */
interface AttemptOutcome {
  readonly path: string;
  readonly attempt: Attempt;
  readonly answer: Pick<Answer, 'status' | 'headers'>;
}

/** 429 also comes from the gate: it rate-limits an IP address after 100 rejected requests. */
const GATE = [401, 429];
/** nginx itself rejects a duplicate Authorization header with 400. */
const DUPLICATE = [400, ...GATE];

/** At most seven attempts; if the valid token is known, invalid ones differ from it as little as possible. */
export function attempts(token: string | undefined): readonly Attempt[] {
  const wrong = `Bearer ${token ?? 'no-such-bearer-'}x`;
  const right = `Bearer ${token ?? 'no-such-bearer'}`;
  const cased = token === undefined ? '' : swapCase(token);
  const one = (name: string, ...authorization: string[]) => ({ name, authorization, rejectedWith: GATE });
  const two = (name: string, ...authorization: string[]) => ({
    name,
    authorization,
    rejectedWith: DUPLICATE,
  });
  return [
    one('no token'),
    one('an invalid token', wrong),
    ...(cased === (token ?? '') ? [] : [one(CASE_CHANGED, `Bearer ${cased}`)]),
    one('an empty token', 'Bearer'),
    one('an empty header', ''),
    two('a duplicate header (valid token first)', right, wrong),
    two('a duplicate header (invalid token first)', wrong, right),
  ];
}

const CASE_CHANGED = 'the token in changed letter case';

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
  if (passing.every(({ attempt }) => attempt.name === CASE_CHANGED))
    return 'The gate ignores letter case, as nginx does for string keys of a map, which makes tokens easier to guess. The map needs a `"~^…\\z"` key: deploy the site again.';
  const problem = passing.some(({ attempt }) => attempt.authorization.length === 0)
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
