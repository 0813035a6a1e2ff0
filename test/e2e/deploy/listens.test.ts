/** Proxies whose other vhosts listen on single addresses, and proxies that cannot serve the site. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import * as deploys from '../../lab/actors/deploys.ts';
import { type Lab, startLab } from '../../lab/namespaces/lab.ts';
import { local } from '../../lab/namespaces/process.ts';

let lab: Lab;
before(async () => {
  lab = await startLab();
});
after(() => lab.stop());

const root = (command: string) => lab.proxy.sh(`set -e; ${command}`);
const RESTART = 'nginx -s stop; while [ -s /run/nginx.pid ]; do sleep 0.05; done; nginx';
const LIVE = '/etc/letsencrypt/live/ia.enso.4nkweb.com';
const OTHER = '/etc/nginx/conf.d/panel.conf';
const WILD = '/etc/nginx/conf.d/wild.conf';
const listens = async () =>
  (await root(`sed -n 's/^ *listen \\(.*\\);/\\1/p' ${deploys.VHOST}`)).stdout.split('\n').filter(Boolean);

async function panel(text: string): Promise<void> {
  await deploys.put(lab.proxy, OTHER, text);
  await root(`rm -f /etc/nginx/sites-enabled/default; ${RESTART}`);
}

const secure = (listen: string) =>
  `server { listen ${listen}; server_name panel.example.org; ssl_certificate ${LIVE}/fullchain.pem; ssl_certificate_key ${LIVE}/privkey.pem; return 200 panel; }\n`;

async function deployed() {
  const applied = await deploys.deploy(lab, deploys.withToken(deploys.TOKEN));
  assert.deepEqual([applied.exit, applied.outcome], [0, 'applied'], applied.stderr);
  assert.equal(await deploys.gate(deploys.TOKEN), 200);
  return applied;
}

beforeEach(() => deploys.reset(lab.proxy));
afterEach(() =>
  root(`rm -f ${OTHER} ${WILD} /usr/local/bin/getenforce /usr/local/bin/getsebool /usr/local/sbin/*; rm -f ${deploys.LINK}
    ln -sf ../sites-available/default /etc/nginx/sites-enabled/default; ${RESTART}`),
);

describe('addresses of other vhosts', () => {
  const panelText = `server { listen 203.0.113.100:80; server_name panel.example.org; return 200 panel; }
${secure('203.0.113.100:443 ssl; listen [2001:db8::100]:443 ssl')}`;
  before(() => root('ip address add 2001:db8::100/64 dev eth0 nodad'));

  test('are used by our vhost, before and after the first deploy and after a rollback', async () => {
    await deployed();
    await root(`rm -f ${deploys.LINK}`);
    await panel(panelText);
    await deployed();
    assert.deepEqual(await listens(), [
      '203.0.113.100:80',
      '[::]:80',
      '203.0.113.100:443 ssl',
      '[2001:db8::100]:443 ssl',
    ]);
    const { stdout: v6 } = await root(
      `curl -sk -o /dev/null -w '%{http_code}' --resolve '${deploys.SITE}:443:[2001:db8::100]' https://${deploys.SITE}/ollama/`,
    );
    assert.equal(v6, '401');
    assert.equal((await deploys.deploy(lab)).outcome, 'unchanged');
    const id = (await root(`ls ${deploys.RELEASES} | sed 's/^[0-9]*\\.//' | head -n 1`)).stdout.trim();
    const back = await lab.run('rollback', ['--json', '--no-verify', '--to', id]);
    assert.equal(back.status, 0, back.stderr);
    assert.equal(await deploys.gate(deploys.TOKEN), 200);
    await root(`rm ${OTHER}; nginx -s reload`);
    await deployed().catch(() => {});
    assert.ok(
      (await listens()).includes('203.0.113.100:443 ssl http2') ||
        (await listens()).includes('203.0.113.100:443 ssl'),
    );
    assert.equal(await deploys.gate(deploys.TOKEN), 200);
  });

  test('of which a reload cannot take over all: refused before it is tried, with the file and the command', async () => {
    await panel(panelText);
    await deploys.put(lab.proxy, WILD, secure('443 ssl').replace('panel.', 'wild.'));
    const tree = await deploys.tree(lab.proxy, '/etc/nginx');
    const refused = await deploys.deploy(lab);
    assert.deepEqual([refused.outcome, refused.failure?.code], ['refused', 'restart'], refused.stderr);
    assert.ok(refused.failure?.text.includes(WILD), refused.failure?.text);
    assert.match(refused.stderr, /systemctl restart nginx/);
    assert.equal(await deploys.tree(lab.proxy, '/etc/nginx'), tree);
    await root(RESTART);
    await deployed();
  });

  test('that expect the PROXY protocol: ours does too, and is queried with it', async () => {
    await panel(
      `server { listen 80 proxy_protocol; server_name panel.example.org; return 200 panel; }\n${secure('443 ssl proxy_protocol')}`,
    );
    const done = await deploys.deploy(lab, deploys.withToken(deploys.TOKEN));
    assert.deepEqual([done.exit, done.outcome], [0, 'applied'], done.stderr);
    assert.deepEqual(await listens(), [
      '80 proxy_protocol',
      '[::]:80',
      '443 ssl proxy_protocol',
      '[::]:443 ssl http2',
    ]);
    const response =
      await local`curl -sk --haproxy-protocol -o /dev/null -w ${'%{http_code}'} -H ${`Authorization: Bearer ${deploys.TOKEN}`} https://${deploys.SITE}/ollama/v1/models`;
    assert.equal(response.stdout, '200');
    const verified = await lab.run('verify', ['--via-ssh', '--only', 'http'], {});
    assert.equal(verified.status, 0, verified.stdout);
  });

  test('on loopback only are left alone, and --via-ssh reaches the vhost', async () => {
    await panel(
      'server { listen 127.0.0.1:80; location / { stub_status; } }\nserver { listen 80; return 404; }\n',
    );
    await deployed();
    assert.ok((await listens()).includes('80'));
    const { status, stdout } = await lab.run('verify', ['--json', '--via-ssh', '--only', 'http']);
    assert.equal(status, 0, stdout);
  });
});

describe('the report on a proxy', () => {
  test('nginx older than 1.15.6 is refused by number before any change', async () => {
    await deploys.put(
      lab.proxy,
      '/usr/local/sbin/nginx',
      '#!/bin/sh\n/usr/sbin/nginx "$@" 2>&1 | sed "s|^nginx version: .*|nginx version: nginx/1.14.2|"\n',
    );
    await root('chmod 755 /usr/local/sbin/nginx');
    const tree = await deploys.tree(lab.proxy, '/etc/nginx');
    const refused = await deploys.deploy(lab);
    assert.deepEqual([refused.exit, refused.outcome, refused.failure?.code], [1, 'refused', 'nginx-old']);
    assert.match(`${refused.failure?.text}`, /1\.14\.2/);
    assert.equal(await deploys.tree(lab.proxy, '/etc/nginx'), tree);
  });

  test('SELinux that keeps nginx from its backends, by deploy and status', async () => {
    await deploys.put(lab.proxy, '/usr/local/bin/getenforce', '#!/bin/sh\necho Enforcing\n');
    await deploys.put(lab.proxy, '/usr/local/bin/getsebool', '#!/bin/sh\necho "$1 --> off"\n');
    await root('chmod 755 /usr/local/bin/getenforce /usr/local/bin/getsebool');
    const done = await deployed();
    assert.equal(done.facts.selinux, 'off');
    assert.match(done.stderr, /setsebool -P httpd_can_network_connect 1/);
    const { status, stdout } = await lab.run('status');
    assert.equal(status, 3);
    assert.match(stdout, /setsebool -P httpd_can_network_connect 1/);
  });

  test('the default server, where no other vhost is; foreign names get 421', async () => {
    const done = await deployed();
    assert.equal(done.facts.default_server, '443, [::]:443');
    assert.match(done.stderr, /ssl_reject_handshake on/);
    const { stdout } = await root(
      "curl -sk -o /dev/null -w '%{http_code}' https://127.0.0.1/ollama/v1/models",
    );
    assert.equal(stdout, '421');
  });
});
