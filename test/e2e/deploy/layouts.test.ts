/** Deploys into existing layouts: the folders, the link, the nginx that they use. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import * as deploys from '../../lab/actors/deploys.ts';
import { type Lab, startLab } from '../../lab/namespaces/lab.ts';

let lab: Lab;
before(async () => {
  lab = await startLab();
});
after(() => lab.stop());

const root = (command: string) => lab.proxy.sh(`set -e; ${command}`);
const CONF = '/etc/nginx/nginx.conf';
const NAME = deploys.SITE;

/** The type of each file, in find's notation. */
async function kinds(...paths: readonly string[]): Promise<string> {
  const { stdout } = await lab.proxy.sh(`find ${paths.join(' ')} -maxdepth 0 -printf '%y ' 2>/dev/null`);
  return stdout.trim();
}

const includes = (...lines: readonly string[]) =>
  root(`sed -i '/^\\tinclude .*\\(conf.d\\|sites-enabled\\)/d; s|^http {|&\\n${lines.join('\\n')}|' ${CONF}`);

async function deployed(): Promise<deploys.DeployResult> {
  const applied = await deploys.deploy(lab, deploys.withToken(deploys.TOKEN));
  assert.deepEqual([applied.exit, applied.outcome], [0, 'applied'], applied.stderr);
  assert.equal(await deploys.gate(deploys.TOKEN), 200);
  return applied;
}

async function removed(): Promise<void> {
  const { status, stderr } = await lab.run('remove', ['--json', '--yes']);
  assert.equal(status, 0, stderr);
  assert.notEqual(await deploys.gate(deploys.TOKEN), 200);
}

describe('a layout', () => {
  beforeEach(async () => {
    await deploys.reset(lab.proxy);
    await root(`cp ${CONF} /root/; cp -a /etc/nginx/sites-enabled /root/`);
  });
  afterEach(() =>
    root(`cp /root/nginx.conf ${CONF}; rm -rf /etc/nginx/vhosts /etc/nginx/http.d /etc/nginx/sites-enabled
      mv /root/sites-enabled /etc/nginx/; nginx -s reload`),
  );

  test("like Alpine's: http.d in http, conf.d in main", async () => {
    await root(`mkdir /etc/nginx/http.d; echo 'include conf.d/*.conf;' >>${CONF}`);
    await includes('include http.d/*.conf;');
    const http = '/etc/nginx/http.d';
    await deployed();
    assert.equal(await kinds(`${http}/${NAME}.conf`, `${http}/ia-enso-http-maps.conf`), 'f f');
    assert.equal((await root('ls /etc/nginx/conf.d')).stdout, '');
    await removed();
    assert.equal((await root(`ls ${http}`)).stdout, '');
  });

  test("with sites-enabled/*.vhost: the link's name matches the pattern", async () => {
    await includes('include conf.d/*;', 'include sites-enabled/*.vhost;');
    await root('rm /etc/nginx/sites-enabled/default');
    await deployed();
    assert.equal(await kinds(`/etc/nginx/sites-enabled/${NAME}.vhost`, deploys.LINK, deploys.VHOST), 'l f');
    assert.equal((await deploys.deploy(lab)).outcome, 'unchanged');
    assert.match((await lab.run('status', ['--json'])).stdout, /"vhost": ?"tls"/);
    await removed();
    assert.equal(await kinds(`/etc/nginx/sites-enabled/${NAME}.vhost`, deploys.VHOST), '');
  });

  test('with custom folders, included by an included file', async () => {
    await root("mkdir /etc/nginx/vhosts; echo 'include vhosts/*.conf;' >/etc/nginx/vhosts/all.http");
    await includes('include vhosts/*.http;');
    await deployed();
    assert.equal(await kinds(`/etc/nginx/vhosts/${NAME}.conf`), 'f');
    await removed();
  });

  test('whose conf.d is included in main only is refused, with the finding and the line to add', async () => {
    await root(`echo 'include conf.d/*.conf;' >>${CONF}`);
    await includes('include sites-enabled/*;');
    const tree = await deploys.tree(lab.proxy, '/etc/nginx');
    const refused = await deploys.deploy(lab);
    assert.deepEqual([refused.exit, refused.outcome, refused.failure?.code], [1, 'refused', 'layout']);
    assert.match(`${refused.failure?.text}`, /conf\.d\/\*\.conf \(in main\)/);
    assert.match(refused.stderr, /include \/etc\/nginx\/conf.d\/\*.conf;/);
    assert.equal(await deploys.tree(lab.proxy, '/etc/nginx'), tree);
  });

  test('with a plain file in sites-enabled: replaced by a link, and restored as a plain file', async () => {
    await deployed();
    await root(
      `rm ${deploys.LINK}; sed 's/3001/3002/' ${deploys.VHOST} >${deploys.LINK}; rm -r ${deploys.VHOST} /var/lib/gatepost; nginx -s reload`,
    );
    const before = (await root(`cat ${deploys.LINK}`)).stdout;
    await deployed();
    assert.equal(await kinds(deploys.LINK), 'l');
    const id = (await root(`ls ${deploys.RELEASES} | sed 's/^[0-9]*\\.//' | head -n 1`)).stdout.trim();
    const { status, stderr } = await lab.run('rollback', ['--json', '--no-verify', '--to', id]);
    assert.equal(status, 0, stderr);
    assert.equal(await kinds(deploys.LINK), 'f');
    assert.equal((await root(`cat ${deploys.LINK}`)).stdout, before);
    assert.equal((await deploys.deploy(lab, deploys.withToken(deploys.TOKEN))).exit, 0);
    assert.equal(await kinds(deploys.LINK), 'l');
  });

  test('with sites-enabled as a link to sites-available, plain files are used there', async () => {
    await root('rm -r /etc/nginx/sites-enabled; ln -s sites-available /etc/nginx/sites-enabled');
    await deployed();
    assert.equal(await kinds(`/etc/nginx/sites-available/${NAME}.conf`), 'f');
    await removed();
  });
});
