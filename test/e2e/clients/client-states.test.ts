/** Clients that are changed, suspended and resumed, that expire, and that are revoked in any state of nginx. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { BEARERS, LIVE, oldClientText } from '../../lab/actors/client-files.ts';
import * as deploys from '../../lab/actors/deploys.ts';
import { type Lab, startLab } from '../../lab/namespaces/lab.ts';
import { script, statusOf } from './clients-lab.ts';

let lab: Lab;
const bearers = (...args: readonly string[]) => script(lab, 'bearers', [...args, '--json']);
const added = async (...args: string[]): Promise<string> => {
  const { status, json, all } = await bearers('add', ...args);
  assert.equal(status, 0, all);
  assert.doesNotMatch(all, /clock of this host differs/);
  return `${json.token}`;
};
const done = async (...args: string[]) => {
  const result = await bearers(...args);
  assert.equal(result.status, 0, result.all);
  return result;
};
const listed = async (name: string) => {
  const { clients = [] } = (await done('list')).json.hosts[0] ?? {};
  return clients.find((one) => one.name === name);
};
const body = async (token: string) =>
  (
    await lab.proxy.sh(
      `curl -sk --resolve ${deploys.SITE}:443:127.0.0.1 -H 'Authorization: Bearer ${token}' https://${deploys.SITE}/ollama/api/tags`,
    )
  ).stdout;
const root = async (command: string) => {
  const { status, stdout, stderr } = await lab.proxy.sh(`set -e; ${command}`);
  assert.equal(status, 0, stderr);
  return stdout;
};

before(async () => {
  lab = await startLab();
  await deploys.deploy(lab, deploys.withToken(deploys.TOKEN));
});
after(() => lab.stop());

describe('a client', () => {
  test('keeps its token while scope, limits and end change', async () => {
    const token = await added('ann', '--limit', '60', '--concurrent', '2', '--expires', '1d');
    assert.equal(await statusOf(token, '/ollama/api/delete', 'DELETE'), 403);
    await done('set', 'ann', '--scope', 'full', '--limit', 'none', '--expires', '2099-12-31');
    assert.equal(await statusOf(token, '/ollama/api/delete', 'DELETE'), 200);
    const ann = await listed('ann');
    assert.deepEqual(
      [ann?.scope, ann?.limit, ann?.concurrent, ann?.state, ann?.expires],
      ['full', undefined, 2, 'live', '2100-01-01T00:00:00Z'],
    );
    await done('set', 'ann', '--concurrent', 'none', '--expires', 'never');
    assert.equal((await listed('ann'))?.expires, undefined);
    assert.equal((await bearers('set', 'ann', '--scope', 'full')).json.hosts[0]?.outcome, 'unchanged');
    assert.equal(await statusOf(token), 200);
    assert.equal((await root(`ls ${LIVE} | grep -c '^ann[.]'`)).trim(), '1');
  });

  test('is rejected while it is suspended, and accepted again afterwards; no deploy resumes it', async () => {
    const token = await added('bob');
    await done('suspend', 'bob');
    assert.equal(await statusOf(token), 401);
    assert.match(await body(token), /suspended/);
    await deploys.deploy(lab, { ...deploys.withToken(deploys.TOKEN), IA_ENSO_BACKEND_IP: '192.168.1.165' });
    assert.equal((await script(lab, 'rollback', ['--json', '--no-verify'])).status, 0);
    assert.deepEqual([await statusOf(token), (await listed('bob'))?.state], [401, 'suspended']);
    const rotated = await script(lab, 'rotate-bearer', ['--client', 'bob', '--json']);
    assert.equal(rotated.json.hosts[0]?.failure?.code, 'client-ended');
    await done('resume', 'bob');
    assert.equal(await statusOf(token), 200);
    assert.match(await root(`tail -n 40 ${'/var/log/nginx/ia.enso.4nkweb.com.access.log'}`), / bob .* 401 /);
  });

  test('expires to the second, without a reload; status needs attention', async () => {
    const pids = await deploys.workers(lab.proxy);
    const token = await added('eve', '--expires', '12s');
    const expires = Date.parse(`${(await listed('eve'))?.expires}`);
    const workers = await deploys.workers(lab.proxy);
    assert.notEqual(workers, pids);
    if (Date.now() < expires - 1000) assert.equal(await statusOf(token), 200);
    await sleep(Math.max(0, expires - Date.now()) + 50);
    assert.equal(await statusOf(token), 401);
    assert.match(await body(token), /expired/);
    assert.equal(await deploys.workers(lab.proxy), workers);
    assert.equal((await listed('eve'))?.state, 'expired');
    const status = await script(lab, 'status', ['--json']);
    assert.equal(status.status, 3);
    assert.match(JSON.stringify(status.json.hosts[0]?.attention), /client eve: its token expired/);
    assert.match(
      `${(await done('resume', 'eve')).json.hosts[0]?.notes}`,
      /eve has expired: it is refused until/,
    );
    await done('set', 'eve', '--expires', '90d');
    assert.equal(await statusOf(token), 200);
    await done('revoke', 'eve');
  });

  test('has two tokens after --keep-previous=DURATION, until the previous one expires', async () => {
    const first = await added('kim');
    const result = await script(lab, 'rotate-bearer', ['--client', 'kim', '--keep-previous=8s', '--json']);
    assert.equal(result.status, 0, result.all);
    const second = `${result.json.token}`;
    const kim = await listed('kim');
    assert.deepEqual([`${kim?.fingerprints}`.split(',').length, kim?.expires], [2, undefined]);
    await sleep(Math.max(0, Date.parse(`${kim?.previousExpires}`) - Date.now()) + 50);
    assert.deepEqual([await statusOf(second), await statusOf(first)], [200, 401]);
    assert.doesNotMatch(JSON.stringify((await script(lab, 'status', ['--json'])).json), /client kim/);
  });

  test('usage errors end before any connection', async () => {
    const mistakes: readonly (readonly string[])[] = [
      ['set', 'ann'],
      ['set', 'ann', '--limit', '7'],
      ['set', 'ann', '--concurrent', '3'],
      ['add', 'x', '--concurrent', 'none'],
      ['add', 'x', '--expires', 'never'],
      ['add', 'x', '--expires', '2020-01-01'],
      ['add', 'x', '--expires', '1w'],
      ['suspend', 'x', '--expires', '1d'],
      ['suspend'],
    ];
    for (const args of mistakes) assert.equal((await bearers(...args)).status, 2, args.join(' '));
    assert.equal((await script(lab, 'rotate-bearer', ['--keep-previous=soon', '--json'])).status, 2);
  });
});

describe('a token is rejected at once, and permanently', () => {
  const revokeWhile = async (name: string, breakIt: string, repair: string, verb = 'revoke') => {
    const token = await added(name);
    await root(breakIt);
    const result = await bearers(verb, name, '--no-verify');
    assert.equal(result.status, 3, result.all);
    assert.equal(await root(`ls ${LIVE} | grep '^${name}[.]' || true`), '');
    await root(repair);
    assert.equal(await statusOf(token), 401);
    return token;
  };

  test('when nginx rejects its configuration; the file is removed by the next change', async () => {
    const broken = '/etc/nginx/conf.d/zz-broken.conf';
    const token = await revokeWhile('lou', `echo nonsense >${broken}`, `rm ${broken}`);
    await done('add', 'next');
    assert.equal(await root(`ls ${BEARERS} | grep lou || true`), '');
    assert.equal(await statusOf(token), 401);
    const again = await added('lou');
    await done('add', 'after');
    assert.equal(await statusOf(again), 200, 'a new client with the same name is a different one');
  });

  test('when nginx is stopped; a suspension is kept, too', async () => {
    const token = await revokeWhile(
      'max',
      'nginx -s stop; sleep 0.5',
      'nginx >/dev/null 2>&1; sleep 0.3',
      'suspend',
    );
    await done('add', 'later');
    assert.equal((await listed('max'))?.state, 'suspended');
    await done('resume', 'max');
    assert.equal(await statusOf(token), 200);
  });

  test('also that of the client `default`, whose token the next deploy changes', async () => {
    const broken = '/etc/nginx/conf.d/zz-broken.conf';
    await root(`echo nonsense >${broken}`);
    assert.equal((await bearers('suspend', 'default', '--no-verify')).status, 3);
    await root(`rm ${broken}`);
    const changed = await deploys.deploy(lab, deploys.withToken(deploys.OTHER_TOKEN));
    assert.equal(changed.outcome, 'applied', changed.stderr);
    assert.deepEqual(
      [await deploys.gate(deploys.OTHER_TOKEN), await deploys.gate(deploys.TOKEN)],
      [401, 401],
    );
    await done('resume', 'default', '--no-verify');
    assert.equal(await deploys.gate(deploys.OTHER_TOKEN), 200);
    assert.equal((await deploys.deploy(lab, deploys.withToken(deploys.TOKEN))).outcome, 'applied');
  });

  test('and a restored folder of live files lacks the ended ones', async () => {
    const token = await added('pat');
    await done('suspend', 'pat');
    await root(`rm -r ${LIVE}`);
    assert.equal(await deploys.gate(deploys.TOKEN), 401);
    assert.equal((await deploys.deploy(lab, deploys.withToken(deploys.TOKEN))).outcome, 'applied');
    assert.equal(await deploys.gate(deploys.TOKEN), 200);
    assert.equal(await statusOf(token), 401);
  });

  test("a change is refused if nginx's workers cannot see the live files", async () => {
    await root(`chmod 700 ${LIVE}`);
    const { status, json } = await bearers('add', 'unseen');
    await root(`chmod 711 ${LIVE}`);
    assert.deepEqual([status, json.hosts[0]?.failure?.code], [1, 'live']);
    assert.equal(await root(`ls ${LIVE} ${BEARERS} | grep unseen || true`), '');
  });

  test('status names what keeps the workers from the live files; a deploy opens their folder', async () => {
    const seen = async () => {
      const { status, json } = await script(lab, 'status', ['--json']);
      return [status, JSON.stringify(json.hosts[0]?.attention).match(/workers cannot see [^ ,]*/)?.[0]];
    };
    const { fingerprints } = (await listed('default')) ?? {};
    const unseen = `workers cannot see ${LIVE}/default.${fingerprints}-f-0-0-0`;
    await root(`rm -f ${LIVE}/[!d]*; chmod 700 ${LIVE}`);
    assert.deepEqual(await seen(), [3, unseen]);
    assert.equal((await deploys.deploy(lab, deploys.withToken(deploys.TOKEN))).outcome, 'applied');
    assert.equal(await deploys.gate(deploys.TOKEN), 200);
    await root('chmod 700 /etc/nginx');
    assert.deepEqual(await seen(), [3, unseen]);
    await root('chmod 755 /etc/nginx');
    assert.equal((await seen())[1], undefined);
  });
});

describe("a client's file by hand", () => {
  test('that is emptied is listed, and status needs attention', async () => {
    await added('zed');
    await root(`: >${BEARERS}/zed.map`);
    assert.equal((await listed('zed'))?.state, 'unreadable');
    const status = await script(lab, 'status', ['--json']);
    assert.match(JSON.stringify(status.json.hosts[0]?.attention), /client zed: its file has no token line/);
    await done('revoke', 'zed');
  });

  test('that is a copy of another one is commented out by the next change', async () => {
    const token = await added('zoe');
    const copied = (name: string) =>
      root(`cd ${BEARERS} && cp -p zoe.map '${name}' && ! nginx -t 2>/dev/null`);
    await copied('zoe copy.map');
    const refused = await bearers('set', 'zoe', '--limit', '600');
    assert.deepEqual([refused.status, refused.json.hosts[0]?.failure?.code], [1, 'target']);
    await root(`rm ${BEARERS}/*copy.map`);
    await copied('a-copy.map');
    await done('set', 'zoe', '--limit', '600');
    await root('nginx -t 2>/dev/null');
    assert.equal(await statusOf(token), 200);
    assert.match(await root(`cat ${BEARERS}/a-copy.map`), /^# damaged: "=/m);
  });
});

describe('a thousand clients of the previous release', () => {
  test('are converted by any change, and listed in at most twice the time of one', async () => {
    await root(`rm ${BEARERS}/*`);
    await deploys.deploy(lab, deploys.withToken(deploys.TOKEN));
    const time = async () => {
      const started = performance.now();
      await script(lab, 'bearers', ['list', '--json'], { bundled: false });
      return performance.now() - started;
    };
    const one = Math.min(await time(), await time());
    const texts = Array.from({ length: 1000 }, (_, i) => {
      const name = `c${i}`;
      return `cat >${BEARERS}/${name}.map <<'END'\n${oldClientText({ name, scope: 'full', tokens: [`${i}-0123456789abcdef`] })}END`;
    });
    await lab.proxy.sh('sh -s', { input: texts.join('\n') });
    await done('add', 'last', '--no-verify');
    for (const i of [0, 500, 999]) assert.equal(await statusOf(`${i}-0123456789abcdef`), 200);
    const many = Math.min(await time(), await time());
    assert.ok(many < 2 * one, `${one} ms for one, ${many} ms for a thousand`);
    assert.equal(await deploys.leftovers(lab.proxy), '');
    assert.equal((await deploys.deploy(lab, deploys.withToken(deploys.TOKEN))).outcome, 'unchanged');
    const env = { ...deploys.withToken(deploys.TOKEN), IA_ENSO_BACKEND_IP: '192.168.1.165' };
    const { outcome, milliseconds } = await deploys.deploy(lab, env);
    assert.equal(outcome, 'applied');
    assert.ok((milliseconds.write ?? 0) < 5000, `${milliseconds.write} ms to write the files`);
  });
});
