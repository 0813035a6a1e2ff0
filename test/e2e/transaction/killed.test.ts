/** Every other verb that changes something, killed at its calls: wholly done or wholly undone, as for a deploy. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Settings } from '../../../lib/config/settings.ts';
import { httpOnlyProgram } from '../../../lib/program/certificate-programs.ts';
import { type ClientChange, clientProgram } from '../../../lib/program/client-program.ts';
import { removalProgram, rollbackProgram } from '../../../lib/program/history-programs.ts';
import { Secret } from '../../../lib/util/secret.ts';
import * as d from '../../lab/actors/deploys.ts';
import * as p from '../../lab/actors/programs.ts';
import * as k from '../../lab/faults/killed.ts';
import { type Lab, startLab } from '../../lab/namespaces/lab.ts';

/** How many calls of each verb, spread over all that it makes; KILLS=all takes every one. */
const KILLS = process.env.KILLS ?? '1';
const BOB = 'bob-0123456789abcdef';

let lab: Lab;
before(async () => {
  lab = await startLab();
  await p.installShims(lab.proxy);
  for (const name of ['before', 'A']) {
    const edit = p.inVhost((text) =>
      text.replace(
        '    absolute_redirect off;\n',
        (line) => `${line}    location = /state { return 200 ${name}; }\n`,
      ),
    );
    assert.equal((await p.apply(lab.proxy, { token: d.TOKEN, edit })).verdict, 'applied');
  }
  const added = { verb: 'add_client', client: 'bob', token: new Secret(BOB), scope: 'full' } as const;
  assert.equal((await p.execute(lab.proxy, await ofClient(added))).verdict, 'applied');
  await lab.proxy.sh(`mkdir /root/A && cp -a ${FOLDERS} /root/A`);
});
after(() => lab.stop());

const FOLDERS = '/etc/nginx /var/lib/gatepost';
const backToA = () =>
  lab.proxy.sh(`find ${FOLDERS} -mindepth 1 -delete; cp -a /root/A/nginx /etc; cp -a /root/A/gatepost /var/lib
    nginx -s reload; sleep 0.3`);

let probes = 0;
/** What the site answers to each token and on port 80, and the state that its vhost tells. */
async function serving(): Promise<string> {
  const from = `127.2.${probes >> 8}.${probes++ & 255}`;
  const curl = `curl -sk -m 5 --interface ${from} --resolve ${d.SITE}:443:127.0.0.1 --resolve ${d.SITE}:80:127.0.0.1`;
  const code = `${curl} -o /dev/null -w '%{http_code} '`;
  const ask = (token: string) =>
    `${code} -H 'Authorization: Bearer ${token}' https://${d.SITE}/ollama/v1/models`;
  const all = [
    ...[d.TOKEN, d.OTHER, BOB].map(ask),
    `${code} http://${d.SITE}/x`,
    `${curl} https://${d.SITE}/state`,
  ];
  return (await lab.proxy.sh(all.join('; '))).stdout.trim();
}

async function ofClient(change: ClientChange): Promise<p.Program> {
  const run = p.newRun();
  return { run, text: await clientProgram(run, p.site, change, false) };
}

async function httpOnly(): Promise<p.Program> {
  const settings = { values: { IA_ENSO_BACKEND_IP: '192.168.1.164' } } as unknown as Settings;
  const { id, text } = await httpOnlyProgram(p.site, settings);
  return { run: { ...p.newRun(), id }, text };
}

const VERBS: Readonly<Record<string, () => Promise<p.Program>>> = {
  rotate: () =>
    ofClient({ verb: 'rotate', client: 'default', token: new Secret(d.OTHER), keepPrevious: false }),
  revoke_client: () => ofClient({ verb: 'revoke_client', client: 'bob' }),
  rollback: async () => {
    const run = p.newRun();
    return { run, text: await rollbackProgram(run, p.site, undefined, false) };
  },
  http_only: httpOnly,
  remove: async () => {
    const run = p.newRun();
    return { run, text: await removalProgram(run, p.site, false) };
  },
};

/** Some calls of all; of one only, one past the middle, when the files are in their places. */
const some = (calls: number) =>
  KILLS === 'all'
    ? k.upTo(calls)
    : k.upTo(Number(KILLS)).map((n) => Math.ceil((n * calls) / (Number(KILLS) + 0.4)));

describe('killed before a call', () => {
  for (const [verb, program] of Object.entries(VERBS)) {
    test(`${verb} is wholly done or wholly undone, and the answer to a question says which`, async (context) => {
      await backToA();
      const whole = { A: await serving(), B: '' };
      const trees = { A: await d.config(lab.proxy), B: '' };
      const { ran, calls } = await p.underPlan(lab.proxy, await program(), '');
      assert.equal(ran.verdict, 'applied', ran.stdout + ran.stderr);
      Object.assign(whole, { B: await serving() });
      Object.assign(trees, { B: await d.config(lab.proxy) });
      assert.notEqual(whole.B, whole.A);
      const scene: k.Scene = { host: () => lab.proxy, serving, whole, trees };
      const count = { A: 0, B: 0 };
      await backToA();
      for (const call of some(calls.length)) {
        const next = await program();
        const killed = await p.underPlan(lab.proxy, next, `${call} before KILL`);
        const is = await k.judge(scene, next, killed.ran, `${verb}, killed before ${calls[call - 1]}`);
        count[is] += 1;
        if (is === 'B') await backToA();
      }
      context.diagnostic(`${verb}: ${calls.length} calls, ${JSON.stringify(count)}`);
      assert.ok(count.A > 0, JSON.stringify(count));
    });
  }
});
