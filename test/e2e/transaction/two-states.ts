/**
 * A proxy for one test file, and two states that a change leads between: their responses, and the files after a kill.
 */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import * as deploys from '../../lab/actors/deploys.ts';
import * as programs from '../../lab/actors/programs.ts';
import * as killed from '../../lab/faults/killed.ts';
import { type Lab, startLab } from '../../lab/namespaces/lab.ts';

export let lab: Lab;
before(async () => {
  lab = await startLab();
});
after(() => lab.stop());

/** A state of the proxy: a vhost that returns its name, and one token. */
export const state = (name: string, token: string, more = ''): programs.DeployOptions => ({
  token,
  edit: programs.inVhost((text) =>
    text.replace(
      '    absolute_redirect off;\n',
      (line) => `${line}    location = /state { return 200 ${name}; }\n${more}`,
    ),
  ),
});
export const A = state('A', deploys.TOKEN);
export const B = state('B', deploys.OTHER_TOKEN);
export const RESPONSES = { A: 'A 200 401', B: 'B 401 200' };

let probes = 0;
/**
 * The proxy's responses: its vhost's name, and the statuses for both tokens; from a new address, since failures are
 * counted by address.
 */
export async function serving(): Promise<string> {
  const from = `127.1.${probes >> 8}.${probes++ & 255}`;
  const curl = `curl -sk -m 5 --interface ${from} --resolve ${deploys.SITE}:443:127.0.0.1`;
  const ask = (token: string) =>
    `${curl} -o /dev/null -w ' %{http_code}' -H 'Authorization: Bearer ${token}' https://${deploys.SITE}/ollama/v1/models`;
  const { stdout } = await lab.proxy.sh(
    `${curl} https://${deploys.SITE}/state; ${ask(deploys.TOKEN)}; ${ask(deploys.OTHER_TOKEN)}`,
  );
  return stdout;
}

export const trees: Record<string, string> = {};

export async function applyState(options = A): Promise<void> {
  const reset = await programs.apply(lab.proxy, options);
  assert.ok(reset.verdict === 'applied' || reset.verdict === 'unchanged', reset.stdout + reset.stderr);
}

const scene: killed.Scene = { host: () => lab.proxy, serving, responses: RESPONSES, trees };
export const assertState = (state: killed.State, where: string) => killed.assertState(scene, state, where);
export const assertReportedState = (
  program: programs.Program,
  result: programs.ProgramResult,
  where: string,
) => killed.assertReportedState(scene, program, result, where);

/** Runs the change from A to B under each plan, and counts the resulting states. */
export async function sweep(plans: readonly string[], options = B): Promise<Record<'A' | 'B', number>> {
  const count = { A: 0, B: 0 };
  for (const plan of plans) {
    const program = await programs.deployProgram(options);
    const { result, calls } = await programs.runWithPlan(lab.proxy, program, plan);
    const is = await assertReportedState(program, result, `${plan.replace('\n', ', ')}: ${calls.at(-1)}`);
    count[is] += 1;
    if (is === 'B') await applyState();
  }
  return count;
}
