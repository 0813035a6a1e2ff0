/** A third site, as described in docs/sites.md: two files in a separate directory, nothing else. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import * as deploys from '../../lab/actors/deploys.ts';
import { type Lab, startLab } from '../../lab/namespaces/lab.ts';
import * as appliance from '../nexus/appliance.ts';
import { WIKI, writeWiki } from './wiki-site.ts';

let lab: Lab;
let own: string;
before(async () => {
  lab = await startLab();
  own = await writeWiki(join(lab.directory, 'my-sites'));
});
after(() => lab.stop());

const run = (script: string, args: readonly string[], env: Record<string, string> = {}) =>
  lab.run(script, ['--site', WIKI, ...args], { env: { GATEPOST_SITES: own, ...env } });

test('requires its settings under its prefix before any connection', async () => {
  const { status, stdout } = await run('deploy', []);
  assert.equal(status, 2);
  for (const name of ['HOST', 'USER'])
    assert.match(stdout, new RegExp(`WIKI_PROXY_${name}: must be set for wiki\\.example\\.org`));
  assert.match(stdout, /WIKI_BACKEND_IP: must be set/);
  const mistake = await run('deploy', [], {
    WIKI_PROXY_HOST: lab.proxy.address,
    WIKI_BACKEND_IPP: '10.0.0.1',
  });
  assert.equal(mistake.status, 2);
  assert.match(mistake.stdout, /WIKI_BACKEND_IPP: unknown setting; did you mean WIKI_BACKEND_IP/);
});

test('is deployed next to the others, checked, reported and removed by the same scripts', async () => {
  const live = '/etc/letsencrypt/live/wiki.example.org';
  await lab.proxy.sh(`cp -r /etc/letsencrypt/live/${deploys.SITE} ${live}`);
  await deploys.deploy(lab, deploys.withToken(deploys.TOKEN));
  const before = await deploys.config(lab.proxy);
  const env = {
    WIKI_PROXY_HOST: lab.proxy.address,
    WIKI_PROXY_USER: 'ncantu',
    WIKI_BACKEND_IP: lab.backend.address,
  };
  const first = await run('deploy', ['--no-verify'], env);
  assert.equal(first.status, 0, first.stdout + first.stderr);
  const response = await appliance.ask('/api/ping', { host: 'wiki.example.org' });
  assert.deepEqual([response.status, response.body], [200, '{"online":true}\n']);
  assert.match((await run('deploy', ['--no-verify'], env)).stdout, /: unchanged/);
  const shown = await run('status', [], env);
  assert.match(shown.stdout, /wiki\.example\.org\.conf/);
  // It has no gate, so the output does not mention clients.
  assert.doesNotMatch(shown.stdout, /client|gate/);
  const { hosts } = JSON.parse((await run('status', ['--json'], env)).stdout) as { hosts: object[] };
  assert.ok(hosts[0] && !('clients' in hosts[0]));
  assert.equal((await run('remove', ['--yes'], env)).status, 0);
  assert.equal(await deploys.config(lab.proxy), before);
  assert.equal(await deploys.gate(deploys.TOKEN), 200);
});
