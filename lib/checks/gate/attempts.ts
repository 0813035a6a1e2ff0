/** What the gate must refuse, and how its answers are judged. */
import { type Finding, failed, passed, warned } from '../../model/check.ts';
import type { Answer } from '../http/request.ts';

interface Attempt {
  readonly name: string;
  /** The header lines to send; none without any. */
  readonly authorization: readonly string[];
  readonly refusedBy: readonly number[];
}

/** What came back for one attempt on one path. */
export interface AttemptOutcome {
  readonly path: string;
  readonly attempt: Attempt;
  readonly answer: Pick<Answer, 'status' | 'headers'>;
}

/** 429 is the gate as well: it slows an address after 100 refusals. */
const GATE = [401, 429];
/** Two lines of a header that may come once: nginx says 400 before any gate. */
const TWICE = [400, ...GATE];

/** At most seven attempts; with the right token known, wrong ones come as near to it as can be. */
export function attempts(token: string | undefined): readonly Attempt[] {
  const wrong = `Bearer ${token ?? 'no-such-bearer-'}x`;
  const right = `Bearer ${token ?? 'no-such-bearer'}`;
  const cased = token === undefined ? '' : swapCase(token);
  const one = (name: string, ...authorization: string[]) => ({ name, authorization, refusedBy: GATE });
  const two = (name: string, ...authorization: string[]) => ({ name, authorization, refusedBy: TWICE });
  return [
    one('no bearer'),
    one('a wrong one', wrong),
    ...(cased === (token ?? '') ? [] : [one('a case-changed one', `Bearer ${cased}`)]),
    one('an empty one', 'Bearer'),
    one('an empty header', ''),
    two('a doubled header (the right one first)', right, wrong),
    two('a doubled header (the wrong one first)', wrong, right),
  ];
}

/** All outcomes of the attempts, in one finding. */
export function judgeRefusals(outcomes: readonly AttemptOutcome[]): Finding {
  const open = outcomes.filter(({ attempt, answer }) => !attempt.refusedBy.includes(answer.status));
  if (open.length > 0) return failed(`${seen(open)} ${meaning(open)}`);
  const mute = outcomes.filter(({ answer }) => answer.status === 401 && !challenges(answer));
  if (mute.length > 0)
    return warned(
      `${seen(mute)} That refuses, but without \`WWW-Authenticate: Bearer\` (RFC 9110): deploy the vhost again.`,
    );
  return passed(
    `Refused on ${unique(outcomes.map(({ path }) => path)).join(' and ')}: ${namesOf(outcomes)}.`,
  );
}

function meaning(open: readonly AttemptOutcome[]): string {
  const passing = open.filter(({ answer }) => answer.status < 300 || answer.status >= 500);
  if (passing.length === 0)
    return 'That is not the gate: look whether the site is deployed, and whether another vhost or location answers here.';
  if (passing.every(({ attempt }) => attempt.name === 'a case-changed one'))
    return 'The gate ignores case, as nginx does with plain map keys, so a token is weaker than it looks: the map needs a `"~^…\\z"` key. Deploy the site again.';
  const whose = passing.some(({ attempt }) => attempt.authorization.length === 0)
    ? 'The gate is open: anyone can use the models'
    : 'The gate can be passed without the right bearer';
  return `${whose}. Deploy the site again; if it stays so, look with \`nginx -T\` on the proxy whether the location tests the bearer map's variable before proxy_pass, and take the site off by \`npx tsx scripts/remove.ts\` meanwhile.`;
}

function seen(outcomes: readonly AttemptOutcome[]): string {
  const statuses = unique(outcomes.map(({ answer }) => answer.status));
  const lines = statuses.map((status) => {
    const some = outcomes.filter(({ answer }) => answer.status === status);
    return `${unique(some.map(({ path }) => path)).join(' and ')} gave ${status} to ${namesOf(some)}`;
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
