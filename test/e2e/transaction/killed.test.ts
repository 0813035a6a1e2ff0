/** All other verbs that change something, killed at their system calls: fully applied or fully rolled back. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Settings } from '../../../lib/config/settings.ts';
import { findSites, withNameFrom } from '../../../lib/config/site-registry.ts';
import type { Site } from '../../../lib/model/site.ts';
import { render } from '../../../lib/nginx/render.ts';
import { httpOnlyProgram } from '../../../lib/program/certificate-programs.ts';
import { type ClientChange, clientProgram, copyProgram } from '../../../lib/program/client-program.ts';
import { removalProgram, rollbackProgram } from '../../../lib/program/history-programs.ts';
import { siteProgram } from '../../../lib/program/program.ts';
import { Secret } from '../../../lib/util/secret.ts';
import * as deploys from '../../lab/actors/deploys.ts';
import * as programs from '../../lab/actors/programs.ts';
import * as killed from '../../lab/faults/killed.ts';
import { type Lab, startLab } from '../../lab/namespaces/lab.ts';
import { OTHER_NAME } from '../../lab/namespaces/network.ts';

/** Number of calls per verb, spread over all of them; KILLS=all kills at every one. */
const KILLS = process.env.KILLS ?? '1';
const OTHER = 'other-0123456789abcdef';
const BOB = 'bob-0123456789abcdef';

/** A vhost that returns a name. */
const named = (name: string) =>
  programs.inVhost((text) =>
    text.replace(
      '    absolute_redirect off;\n',
      (line) => `${line}    location = /state { return 200 ${name}; }\n`,
    ),
  );
const A_VHOST = named('A');
/** Verbs that begin by ending tokens: these are rejected from the first act on. */
const ENDS: readonly string[] = ['revoke_client', 'suspend_client'];

let lab: Lab;
before(async () => {
  lab = await startLab();
  await programs.installShims(lab.proxy);
  for (const name of ['before', 'A']) {
    assert.equal(
      (await programs.apply(lab.proxy, { token: deploys.TOKEN, edit: named(name) })).verdict,
      'applied',
    );
  }
  const added = { verb: 'add_client', client: 'bob', token: new Secret(BOB), scope: 'full' } as const;
  assert.equal((await programs.execute(lab.proxy, await ofClient(added))).verdict, 'applied');
  const live = '/etc/letsencrypt/live';
  await lab.proxy.sh(`cp -r ${live}/${deploys.SITE} ${live}/${OTHER_NAME}`);
  await lab.proxy.sh(`mkdir /root/A && cp -a ${FOLDERS} /root/A`);
});
after(() => lab.stop());

const FOLDERS = '/etc/nginx /var/lib/gatepost';
const backToA = () =>
  lab.proxy.sh(`find ${FOLDERS} -mindepth 1 -delete; cp -a /root/A/nginx /etc; cp -a /root/A/gatepost /var/lib
    nginx -s reload; sleep 0.3`);

let probes = 0;
/** The site's status for each token and on port 80, and the state in its vhost's response. */
async function serving(): Promise<string> {
  const from = `127.2.${probes >> 8}.${probes++ & 255}`;
  const curl = `curl -sk -m 5 --interface ${from} --resolve ${deploys.SITE}:443:127.0.0.1 --resolve ${deploys.SITE}:80:127.0.0.1`;
  const code = `${curl} -o /dev/null -w '%{http_code} '`;
  const ask = (token: string) =>
    `${code} -H 'Authorization: Bearer ${token}' https://${deploys.SITE}/ollama/v1/models`;
  const all = [
    ...[deploys.TOKEN, deploys.OTHER_TOKEN, BOB].map(ask),
    `${code} http://${deploys.SITE}/x`,
    `${curl} https://${deploys.SITE}/state`,
  ];
  return (await lab.proxy.sh(all.join('; '))).stdout.trim();
}

async function ofClient(change: ClientChange): Promise<programs.Program> {
  return programs.atFixedTime(await clientProgram(programs.context, change, false));
}

async function httpOnly(): Promise<programs.Program> {
  const settings = { values: { IA_ENSO_BACKEND_IP: '192.168.1.164' } } as unknown as Settings;
  return httpOnlyProgram(programs.site, settings);
}

/** A deploy under another public name, which replaces the vhost. */
async function renaming(): Promise<programs.Program> {
  const values = { IA_ENSO_SERVER_NAME: OTHER_NAME, IA_ENSO_BACKEND_IP: '192.168.1.164' };
  const site = withNameFrom(programs.site, values);
  const files = await render(site, { values } as unknown as Settings);
  return siteProgram('apply', site, files);
}

async function rollback(): Promise<programs.Program> {
  return rollbackProgram(programs.context);
}

async function removal(): Promise<programs.Program> {
  return removalProgram(programs.site, { dryRun: false });
}

const VERBS: Readonly<Record<string, () => Promise<programs.Program>>> = {
  rotate: () =>
    ofClient({
      verb: 'rotate',
      client: 'default',
      token: new Secret(deploys.OTHER_TOKEN),
      keepPrevious: false,
    }),
  copy_client: async () => {
    const rest = {
      created: programs.NOW,
      rotated: programs.NOW,
      scope: 'full',
      limit: '-',
      concurrent: '-',
      end: '-',
      state: '-',
    } as const;
    const tokens = [OTHER, deploys.OTHER_TOKEN].map((token, i) => ({
      ...rest,
      client: `copy${i}`,
      token: new Secret(token),
    }));
    return copyProgram(programs.context, tokens, 'elsewhere', false);
  },
  revoke_client: () => ofClient({ verb: 'revoke_client', client: 'bob' }),
  suspend_client: () => ofClient({ verb: 'suspend_client', client: 'bob' }),
  rollback,
  http_only: httpOnly,
  'apply under another name': renaming,
  remove: removal,
  'rollback of a removal': rollback,
};

/** The step before a verb. */
const FIRST: Readonly<Record<string, () => Promise<programs.Program>>> = { 'rollback of a removal': removal };

async function backTo(verb: string): Promise<void> {
  await backToA();
  const first = await FIRST[verb]?.();
  if (first) assert.equal((await programs.execute(lab.proxy, first)).verdict, 'applied');
}

/** Some of all calls; if only one, one past the middle, when the files are in place. */
const sampleCalls = (calls: number) =>
  KILLS === 'all'
    ? killed.callNumbers(calls)
    : killed.callNumbers(Number(KILLS)).map((n) => Math.ceil((n * calls) / (Number(KILLS) + 0.4)));

describe('killed before a call', () => {
  for (const [verb, program] of Object.entries(VERBS)) {
    test(`${verb} is fully applied or fully rolled back, and the outcome query reports which`, async (context) => {
      await backTo(verb);
      const responses = { A: await serving(), B: '' };
      const trees = { A: await deploys.config(lab.proxy), B: '', ended: '' };
      if (ENDS.includes(verb)) trees.ended = trees.A.replace(/^.*\/ia-enso-live\/bob\..*\n/gm, '');
      const { result, calls } = await programs.runWithPlan(lab.proxy, await program(), '');
      assert.equal(result.verdict, 'applied', result.stdout + result.stderr);
      Object.assign(responses, { B: await serving() });
      Object.assign(trees, { B: await deploys.config(lab.proxy) });
      assert.notEqual(responses.B, responses.A);
      const scene: killed.Scene = { host: () => lab.proxy, serving, responses, trees };
      const count = { A: 0, B: 0 };
      await backTo(verb);
      for (const call of sampleCalls(calls.length)) {
        const next = await program();
        const victim = await programs.runWithPlan(lab.proxy, next, `${call} before KILL`);
        const state = await killed.assertReportedState(
          scene,
          next,
          victim.result,
          `${verb}, killed before ${calls[call - 1]}`,
        );
        count[state] += 1;
        if (state === 'B') await backTo(verb);
      }
      context.diagnostic(`${verb}: ${calls.length} calls, ${JSON.stringify(count)}`);
      // Revocations and suspensions only go forward after their first act.
      assert.ok(count[ENDS.includes(verb) ? 'B' : 'A'] > 0, JSON.stringify(count));
    });
  }
});

/** A deploy of another site on the same proxy, which has no clients. */
async function otherSite(): Promise<programs.Program> {
  const other = (await findSites()).get('nexus') as Site;
  const content = 'server {\n    listen 127.0.0.1:8099;\n}\n';
  const vhost = { role: 'vhost', name: 'nexus.conf', mode: '644', content } as const;
  return siteProgram('apply', other, [vhost]);
}

const isLive = async (name: string) =>
  (await lab.proxy.sh(`ls /etc/nginx/ia-enso-live | grep -q '^${name}[.]'`)).status === 0;

describe('killed before a call, then another site is deployed', () => {
  for (const verb of ['rotate', ...ENDS])
    test(`${verb}: rejected tokens stay rejected, and no deploy that changes something reports unchanged`, async () => {
      const next = VERBS[verb] as () => Promise<programs.Program>;
      await backToA();
      const { calls } = await programs.runWithPlan(lab.proxy, await next(), '');
      const firstAct = 1 + calls.findIndex((call) => / rm -f .*\/ia-enso-live\/bob\./.test(call));
      assert.ok(verb === 'rotate' || firstAct > 0, calls.join('\n'));
      for (const call of sampleCalls(calls.length)) {
        await backToA();
        await programs.runWithPlan(lab.proxy, await next(), `${call} before KILL`);
        const where = `${verb}, killed before ${calls[call - 1]}`;
        const wasLive = await isLive('bob');
        assert.equal((await programs.execute(lab.proxy, await otherSite())).verdict, 'applied', where);
        const [before, statuses] = [await deploys.config(lab.proxy), await serving()];
        const own = await programs.apply(lab.proxy, { edit: A_VHOST });
        const changed = (await deploys.config(lab.proxy)) !== before;
        assert.equal(own.verdict, changed ? 'applied' : 'unchanged', `${where}\n${own.stdout}`);
        const [known, other, bob] = (await serving()).split(' ');
        if (ENDS.includes(verb) && call > firstAct) {
          assert.equal(wasLive, false, where);
          assert.match(statuses, /^200 401 401 /, where);
          assert.deepEqual([known, other, bob], ['200', '401', '401'], where);
        }
        // Before its first act, a revocation has changed nothing.
        else
          assert.ok(
            [known, other].sort().join() === '200,401' && bob === '200',
            `${where}: ${known} ${other}`,
          );
      }
    });
});
