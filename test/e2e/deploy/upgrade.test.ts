/** An upgrade in place: everything that the previous release left on a proxy is kept. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { newRun } from '../../../lib/model/run.ts';
import { BEARERS } from '../../lab/actors/client-files.ts';
import * as deploys from '../../lab/actors/deploys.ts';
import * as programs from '../../lab/actors/programs.ts';
import { type Lab, startLab } from '../../lab/namespaces/lab.ts';
import { CHECKOUT, typescript } from '../../lab/namespaces/process.ts';
import { script, statusOf } from '../clients/clients-lab.ts';

let lab: Lab;
before(async () => {
  lab = await startLab();
});
after(() => lab.stop());

const EDITOR = 'editor-0123456789abcdef';

/** deploy.ts on the proxy itself, without a token: through a program written by `--bundle`, or with `--local`. */
const METHODS = {
  '--bundle': async () => {
    const file = `${lab.directory}/upgrade.sh`;
    const made = await lab.run('deploy', ['--bundle', file], {
      env: { IA_ENSO_OLLAMA_BEARER_TOKEN: undefined },
    });
    assert.equal(made.status, 0, made.stderr);
    return lab.proxy.sh('sh -s', { input: await readFile(file, 'utf8') });
  },
  '--local': async () => {
    const env = { ...lab.env, HOME: '/tmp', IA_ENSO_PROXY_HOST: '', IA_ENSO_OLLAMA_BEARER_TOKEN: '' };
    const set = Object.entries(env).flatMap(([name, value]) => (value ? [`'${name}=${value}'`] : []));
    const command = [process.execPath, ...typescript('scripts/deploy.ts', ['--local', '--no-verify'])];
    return lab.proxy.sh(`cd /tmp && touch .env && env -i ${set.join(' ')} ${command.join(' ')}`);
  },
} as const;

const VERBS = { deploy: 'apply', 'add-client': 'add_client' } as const;

const part = (name: string) => readFile(`${CHECKOUT}/test/lab/earlier/${name}.sh`, 'utf8');

/** The previous release's programs (test/lab/earlier/), each with its own run id. */
async function earlier(name: keyof typeof VERBS, backend = '192.168.1.164'): Promise<programs.Program> {
  const { id } = newRun();
  const text = (await part('common')).replace('__VERB__', VERBS[name]) + (await part(name));
  return {
    id,
    text: text.replaceAll('20261122T000000Z-000000', id).replaceAll('192.168.1.164', backend),
  };
}

async function runEarlier(...args: Parameters<typeof earlier>): Promise<string> {
  const program = await earlier(...args);
  const result = await programs.execute(lab.proxy, program);
  assert.equal(result.verdict, 'applied', result.stdout + result.stderr);
  return program.id;
}

const scriptHere = async (name: string, args: readonly string[] = []) => {
  const { status, json, all } = await script(lab, name, [...args, '--json'], {
    env: { IA_ENSO_OLLAMA_BEARER_TOKEN: undefined },
  });
  return { status, host: json.hosts[0], all };
};

describe('an upgrade in place', () => {
  const ids: string[] = [];

  test('keeps releases, clients and tokens, and finds no drift', async () => {
    ids.push(
      await runEarlier('deploy', '192.168.1.165'),
      await runEarlier('deploy'),
      await runEarlier('add-client'),
    );
    const status = await scriptHere('status');
    assert.deepEqual(status.host?.drift, []);
    const releases = status.host?.releases as { id: string }[];
    assert.deepEqual(releases.map(({ id }) => id).reverse(), ids);
    const deployed = await scriptHere('deploy', ['--no-verify']);
    assert.equal(deployed.status, 0, deployed.all);
    assert.deepEqual(deployed.host?.drift, []);
    assert.deepEqual([await statusOf(deploys.TOKEN), await statusOf(EDITOR)], [200, 200]);
    assert.equal((await scriptHere('deploy', ['--no-verify'])).host?.outcome, 'unchanged');
  });

  test('rolls back to a release of the earlier version; clients stay', async () => {
    const back = await scriptHere('rollback', ['--no-verify', '--to', `${ids[0]}`]);
    assert.equal(back.status, 0, back.all);
    assert.match((await lab.proxy.sh(`cat ${deploys.VHOST}`)).stdout, /server 192\.168\.1\.165:11434;/);
    // Through the gate, to an address without a backend.
    assert.deepEqual([await statusOf(deploys.TOKEN), await statusOf(EDITOR)], [502, 502]);
  });

  test('recovers a killed run of the earlier version', async () => {
    await programs.installShims(lab.proxy);
    const first = await programs.runWithPlan(lab.proxy, await earlier('deploy', '192.168.1.166'), '');
    const swapped = first.calls.findIndex((line) => / mv .*gatepost-new .*sites-available/.test(line)) + 2;
    await programs.runWithPlan(lab.proxy, await earlier('deploy', '192.168.1.167'), `${swapped} before KILL`);
    await lab.proxy.sh('rm /usr/local/sbin/*');
    assert.match((await lab.proxy.sh(`cat ${deploys.VHOST}`)).stdout, /server 192\.168\.1\.167:11434;/);
    const deployed = await scriptHere('deploy', ['--no-verify']);
    assert.equal(deployed.status, 0, deployed.all);
    assert.equal(await deploys.leftovers(lab.proxy), '');
    assert.deepEqual([await statusOf(deploys.TOKEN), await statusOf(EDITOR)], [200, 200]);
  });

  for (const [method, deploy] of Object.entries(METHODS))
    test(`converts the client files by ${method}, tokens unchanged; again is unchanged`, async () => {
      await deploys.reset(lab.proxy);
      await runEarlier('deploy');
      await runEarlier('add-client');
      const old = `grep -lF '(?i:bearer)' ${BEARERS}/*.map | wc -l`;
      assert.equal((await lab.proxy.sh(old)).stdout.trim(), '2');
      const { status, stdout, stderr } = await deploy();
      assert.equal(status, 0, stdout + stderr);
      assert.equal((await lab.proxy.sh(old)).stdout.trim(), '0');
      const wrong = deploys.TOKEN.toLowerCase();
      assert.deepEqual(
        [await statusOf(deploys.TOKEN), await statusOf(EDITOR), await statusOf(wrong)],
        [200, 200, 401],
      );
      assert.match((await deploy()).stdout, /unchanged/);
    });
});
