/** The bearer gate: shut for everything but the right bearer, open for that one. */
import { advised } from '../../diagnosis/row.ts';
import { SYMPTOMS } from '../../diagnosis/symptoms.ts';
import { type Check, type CheckTarget, type Finding, failed, passed, skipped } from '../../model/check.ts';
import { bearerOption, curl } from '../http/curl.ts';
import { statusAdvice } from '../http/failures.ts';
import { type Answer, sendRequest } from '../http/request.ts';
import { attempts, judgeRefusals } from './attempts.ts';
import { modelsIn } from './ollama-answer.ts';

export interface BearerGateOptions {
  /** Paths behind the gate that list the models as JSON. */
  readonly lists: readonly string[];
  /** The setting that holds the bearer, as the operator knows it. */
  readonly tokenVariable: string;
}

/**
 * Two checks: what must be refused, and what must be let in.
 * At most seven refused requests a list, far below where the gate begins to slow an address (100).
 */
export function bearerGate(gate: BearerGateOptions): readonly Check[] {
  const request = { path: gate.lists[0] ?? '/' };
  return [
    {
      name: 'bearer gate refuses',
      run: (target) => refuses(gate, target),
      curl: (target) => curl(target, request, '-i'),
    },
    {
      name: 'bearer gate opens',
      run: (target) => opens(gate, target),
      curl: (target) => curl(target, request, bearerOption(gate.tokenVariable)),
    },
  ];
}

/** Whether the gate has a client at all, which without a bearer only the proxy itself can say. */
export const gateClients: Check = {
  name: 'gate clients',
  run: async ({ clientFaults }) => {
    if (!clientFaults) return skipped(ONLY_THE_PROXY);
    try {
      const faults = await clientFaults();
      return faults.length > 0 ? failed(faults.join(' ')) : passed('The gate has a client.');
    } catch (error) {
      return skipped(`The proxy cannot be asked: ${(error as Error).message}`);
    }
  },
};

const ONLY_THE_PROXY =
  'Without a bearer, only the proxy itself knows whether the gate has a client: `npx tsx scripts/status.ts`.';

async function refuses({ lists, tokenVariable }: BearerGateOptions, target: CheckTarget): Promise<Finding> {
  const tries = lists.flatMap((path) =>
    attempts(target.token?.reveal()).map(async (attempt) => {
      const headers = attempt.authorization.length === 0 ? {} : { Authorization: [...attempt.authorization] };
      return { path, attempt, answer: await sendRequest(target, { path, headers }) };
    }),
  );
  const finding = judgeRefusals(await Promise.all(tries));
  const hint = target.token === undefined ? ` More is tried when ${tokenVariable} is set.` : '';
  return { ...finding, detail: `${finding.detail}${hint}` };
}

async function opens({ lists, tokenVariable }: BearerGateOptions, target: CheckTarget): Promise<Finding> {
  const { token } = target;
  if (token === undefined) return skipped(`${noToken(tokenVariable)} ${ONLY_THE_PROXY}`);
  const headers = { authorization: `Bearer ${token.reveal()}` };
  const answers = await Promise.all(
    lists.map(async (path) => ({ path, answer: await sendRequest(target, { path, headers }) })),
  );
  const faults = answers.map(({ path, answer }) => listFault(path, answer, tokenVariable)).filter(Boolean);
  if (faults.length > 0) return failed([...new Set(faults)].join(' '));
  const models = modelsIn(answers[0]?.answer.body ?? '')?.length ?? 0;
  return passed(`The bearer is let in on ${lists.join(' and ')}; models there: ${models}.`);
}

/** Why a check with a bearer was not made. */
export function noToken(variable: string): string {
  return `No bearer is known here: set ${variable} in the environment or the env file.`;
}

/** What is wrong with the answer to a right bearer; empty when it is a list of models. */
export function listFault(
  path: string,
  { status, body }: Pick<Answer, 'status' | 'body'>,
  variable: string,
): string {
  if (status === 200 && modelsIn(body) !== undefined) return '';
  const what = status === 200 ? '200, but no JSON list of models' : status;
  return `${path} with the bearer gives ${what}. ${statusAdvice(status, reasonOf(status, variable), body, { TOKEN: variable })}`;
}

function reasonOf(status: number, variable: string): string {
  if (status === 401) return advised(SYMPTOMS.unauthorized, { TOKEN: variable });
  if (status === 403) return advised(SYMPTOMS.foreign);
  if (status === 404)
    return 'No such path behind the gate: look whether proxy_pass and its location both end in a slash, and at the backend address and port.';
  return 'Another location of the vhost takes the path, or another vhost or backend answers: look whether the vhost was changed by hand, at the backend address and port, and deploy the site again.';
}
