/** If the rollback fails, the script exits with 5 and prints recovery steps, which repair the proxy. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import * as deploys from '../../lab/actors/deploys.ts';
import { forbidNamespaces } from '../../lab/actors/programs.ts';
import { type Lab, startLab } from '../../lab/namespaces/lab.ts';

let lab: Lab;
let stock = '';
before(async () => {
  lab = await startLab();
  stock = await deploys.config(lab.proxy);
});
after(() => lab.stop());

const MAPS = '/etc/nginx/conf.d';

/** At nginx's test in place during the next change, makes the maps' folder unwritable; then runs `action`. */
async function failRollbackAtNextTest(action: string): Promise<void> {
  await forbidNamespaces(lab.proxy);
  await deploys.put(
    lab.proxy,
    '/usr/local/sbin/nginx',
    `#!/bin/sh
[ "$1" != -t ] || [ ! -e /run/spoil ] || { rm /run/spoil; mount -o remount,ro,bind ${MAPS}; ${action}; }
exec /usr/sbin/nginx "$@"\n`,
  );
  await lab.proxy.sh(`chmod 755 /usr/local/sbin/nginx; touch /run/spoil; mount --bind ${MAPS} ${MAPS}`);
}

const KILLED = 'kill -KILL "$(sed -n "s/.*process \\([0-9]*\\)).*/\\1/p" /var/lib/gatepost/lock)"; exit 1';
const REFUSED = 'echo "nginx: [emerg] of this test"; exit 1';

describe('a change that cannot be rolled back', () => {
  beforeEach(() => deploys.reset(lab.proxy));

  for (const [how, act] of [
    ['after nginx rejected it', REFUSED],
    ['after it was killed, reported by the outcome query', KILLED],
  ] as const)
    test(`${how}: exit status 5, and the reported steps fix it`, async () => {
      await failRollbackAtNextTest(act);
      const deployed = await deploys.deploy(lab, deploys.withToken(deploys.TOKEN));
      await lab.proxy.sh(`umount ${MAPS}`);
      assert.deepEqual([deployed.exit, deployed.outcome], [5, 'failed'], deployed.stderr);
      assert.equal(deployed.failure?.code, 'restore');
      const { todo = [] } = deployed;
      assert.ok(
        todo.includes(`rm -f ${deploys.MAPS}`) && todo.at(-1) === 'nginx -t && nginx -s reload',
        `${todo}`,
      );
      for (const step of todo) assert.ok(deployed.stderr.includes(step), `${step}\n${deployed.stderr}`);
      const typed = await lab.proxy.sh(`set -e\n${todo.join('\n')}`);
      assert.equal(typed.status, 0, typed.stderr);
      assert.equal(await deploys.config(lab.proxy), stock);
      const next = await deploys.deploy(lab, deploys.withToken(deploys.TOKEN));
      assert.deepEqual([next.exit, next.outcome], [0, 'applied'], next.stderr);
      assert.equal(await deploys.leftovers(lab.proxy), '');
    });
});
