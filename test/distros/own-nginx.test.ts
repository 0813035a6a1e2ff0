/** A custom nginx build: its own folders, PID file, user and static modules, and no nginx in PATH. */
import '../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { retry } from 'zx';
import { issued, served } from '../e2e/certificates/bootstrap-lab.ts';
import * as deploys from '../lab/actors/deploys.ts';
import { type Lab, startLab } from '../lab/namespaces/lab.ts';
import { ROOTS } from './roots.ts';

const HOME = '/opt/gatepost-nginx';
const NGINX = `${HOME}/sbin/nginx`;
const VHOST = `${HOME}/etc/vhosts/${deploys.SITE}.conf`;
const START = `${NGINX} 2>/dev/null; while [ ! -s ${HOME}/run/web.pid ]; do sleep 0.05; done`;
const STOP = `${NGINX} -s stop; while [ -e ${HOME}/run/web.pid ]; do sleep 0.05; done`;
/** Like a package manager, replaces the program under a running master, which then hands over. */
const UPGRADE = `cp ${NGINX} ${NGINX}.new; mv ${NGINX}.new ${NGINX}; kill -USR2 "$(cat ${HOME}/run/web.pid)"
  while [ ! -s ${HOME}/run/web.pid.oldbin ] || [ ! -s ${HOME}/run/web.pid ]; do sleep 0.05; done
  kill -QUIT "$(cat ${HOME}/run/web.pid.oldbin)"; while [ -e ${HOME}/run/web.pid.oldbin ]; do sleep 0.05; done`;
const conf = (more = '') => `events { }
http { include mime.types; access_log off; include vhosts/*.conf; }
${more}`;

let lab: Lab;
async function root(command: string): Promise<string> {
  const { status, stdout, stderr } = await lab.proxy.sh(`set -e; ${command}`);
  assert.equal(status, 0, `${command}\n${stderr}`);
  return stdout;
}
before(async () => {
  const trixie = ROOTS.find((folder) => folder.endsWith('/trixie'));
  lab = await startLab({ ...(trixie && { root: trixie }), certificate: 'none' });
  await lab.startAcme();
  await root(`nginx -s stop; while [ -e /run/nginx.pid ]; do sleep 0.05; done
    rm -r /etc/nginx /var/log/nginx; mount --bind /dev/null /usr/sbin/nginx
    useradd --system webd; mkdir ${HOME}/etc/vhosts`);
  await deploys.put(lab.proxy, `${HOME}/etc/web.conf`, conf());
  await root(START);
});
after(() => lab.stop());

const own = () => root(`cd ${HOME}/etc && find . -name '*.default' -o -type f -print | sort | tr '\n' ' '`);

async function run(script: string, args: readonly string[] = []): Promise<{ token?: string }> {
  const env = deploys.withToken(deploys.TOKEN);
  const { status, stdout, stderr } = await lab.run(script, ['--json', ...args], { env });
  assert.equal(status, 0, `${script}\n${stderr}`);
  return JSON.parse(stdout) as { token?: string };
}

test('bootstrap, deploy, clients, rollback and remove work on it', async () => {
  const before = await own();
  await run('bootstrap-tls', ['--no-verify']);
  assert.equal(await deploys.gate(deploys.TOKEN), 200);
  assert.equal(await root(`ps -o user= -C nginx | sort -u | tr '\n' ' '`), 'root webd ');
  const moved = { ...deploys.withToken(deploys.TOKEN), IA_ENSO_ANYTHINGLLM: '192.168.1.164:3002' };
  assert.equal((await deploys.deploy(lab, moved)).outcome, 'applied');
  assert.match(await root(`cat ${VHOST}`), /192\.168\.1\.164:3002/);
  const { token = '' } = await run('bearers', ['add', 'someone']);
  assert.equal(await deploys.gate(token), 200);
  await run('bearers', ['suspend', 'someone']);
  assert.equal(await deploys.gate(token), 401);
  await run('rollback', ['--no-verify']);
  assert.doesNotMatch(await root(`cat ${VHOST}`), /192\.168\.1\.164:3002/);
  await root(UPGRADE);
  await run('bearers', ['resume', 'someone']);
  assert.equal(await deploys.gate(token), 200);
  await root('certbot renew --force-renewal --no-random-sleep-on-renew 2>&1');
  await retry(20, '100ms', async () => assert.equal((await served()).serialNumber, await issued(lab.proxy)));
  await run('status');
  await run('remove', ['--yes']);
  assert.equal(await own(), before);
});

test('a stream block that has port 443 is refused by name; one that listens elsewhere is not', async () => {
  await deploys.put(lab.proxy, `${HOME}/etc/web.conf`, conf('stream { include streams/*.conf; }'));
  await root(`mkdir ${HOME}/etc/streams`);
  const router = `${HOME}/etc/streams/sni.conf`;
  await deploys.put(
    lab.proxy,
    router,
    'server { listen 443; ssl_preread on; proxy_pass 127.0.0.1:8443; proxy_protocol on; }',
  );
  await root(`${STOP}; ${START}`);
  const files = await own();
  const refused = await deploys.deploy(lab, deploys.withToken(deploys.TOKEN));
  assert.deepEqual([refused.outcome, refused.failure?.code], ['refused', 'stream'], refused.stderr);
  assert.ok(refused.failure?.text.includes(router), refused.failure?.text);
  assert.equal(await own(), files);
  await root(`sed -i 's/443/203.0.113.100:8443/' ${router}; ${STOP}; ${START}`);
  assert.equal((await deploys.deploy(lab, deploys.withToken(deploys.TOKEN))).outcome, 'applied');
  assert.equal(await deploys.gate(deploys.TOKEN), 200);
});
