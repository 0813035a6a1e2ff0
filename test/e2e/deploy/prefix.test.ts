/** nginx started with its own prefix, folders, PID file and log. (test/distros has one that was built that way.) */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as deploys from '../../lab/actors/deploys.ts';
import { type Lab, startLab } from '../../lab/namespaces/lab.ts';

let lab: Lab;
const root = (command: string) => lab.proxy.sh(`set -e; ${command}`);
const HOME = '/opt/own-nginx';

// (!) The lab's hosts share /usr with this machine: nothing may be moved or removed there.
before(async () => {
  lab = await startLab({ certificate: 'none' });
  await lab.startAcme();
  const started = await root(`nginx -s stop; while [ -s /run/nginx.pid ]; do sleep 0.05; done
    mkdir -p ${HOME}/conf/vhosts ${HOME}/logs; cp -r /etc/nginx/mime.types ${HOME}/conf/
    rm -rf /etc/nginx /var/log/nginx; mkdir -p ${HOME}/sbin; cp /usr/sbin/nginx ${HOME}/sbin/nginx
    printf '%s\\n' 'user www-data; pid logs/own.pid; error_log logs/own.log;' 'events { }' \
      'http { include mime.types; access_log off; include vhosts/*.conf; }' >${HOME}/conf/nginx.conf
    ${HOME}/sbin/nginx -p ${HOME} -c conf/nginx.conf`);
  assert.equal(started.status, 0, started.stderr);
});
after(() => lab.stop());

const kinds = async () =>
  (await root(`cd ${HOME}/conf && find . -type f | sort | tr '\\n' ' '`)).stdout.trim();

test('bootstrap, deploy, rollback and remove work on it', async () => {
  const env = deploys.withToken(deploys.TOKEN);
  const bootstrap = await lab.run('bootstrap-tls', ['--json', '--no-verify'], { env });
  assert.equal(bootstrap.status, 0, bootstrap.stderr);
  assert.equal(await deploys.gate(deploys.TOKEN), 200);
  assert.match(
    await kinds(),
    /^\.\/ia-enso-bearers\/default\.map .*\.\/vhosts\/ia-enso-http-maps\.conf \.\/vhosts\/ia\.enso\.4nkweb\.com\.conf/,
  );
  const hook = await root('cat /etc/letsencrypt/renewal-hooks/deploy/gatepost-reload-nginx');
  assert.match(hook.stdout, new RegExp(`${HOME}/sbin/nginx -p ${HOME} -c conf/nginx.conf -t -q`));
  const changed = await deploys.deploy(lab, { ...env, IA_ENSO_BACKEND_IP: '192.168.1.165' });
  assert.deepEqual([changed.exit, changed.outcome], [0, 'applied'], changed.stderr);
  const added = await lab.run('bearers', ['add', 'someone', '--json']);
  assert.equal(added.status, 0, added.stderr);
  const back = await lab.run('rollback', ['--json', '--no-verify']);
  assert.equal(back.status, 0, back.stderr);
  assert.equal(await deploys.gate(deploys.TOKEN), 200);
  const removed = await lab.run('remove', ['--json', '--yes']);
  assert.equal(removed.status, 0, removed.stderr);
  assert.equal(await kinds(), './mime.types ./nginx.conf');
});
