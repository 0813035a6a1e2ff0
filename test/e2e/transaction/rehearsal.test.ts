/**
 * No untested file is ever in nginx's folders, even if somebody reloads nginx; damaged files of gatepost can be
 * repaired.
 */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { removalProgram, rollbackProgram } from '../../../lib/program/history-programs.ts';
import * as deploys from '../../lab/actors/deploys.ts';
import * as programs from '../../lab/actors/programs.ts';
import { sampled } from '../../lab/faults/sample.ts';
import { type Lab, startLab } from '../../lab/namespaces/lab.ts';

let lab: Lab;
before(async () => {
  lab = await startLab();
});
after(() => lab.stop());

const sh = async (script: string): Promise<string> => {
  const { status, stdout, stderr } = await lab.proxy.sh(script);
  assert.equal(status, 0, `${script}\n${stderr}`);
  return stdout;
};

const state = (name: string, more = ''): programs.DeployOptions => ({
  token: deploys.TOKEN,
  edit: programs.inVhost((text) =>
    text.replace(
      '    absolute_redirect off;\n',
      (line) => `${line}    location = /state { return 200 ${name}; }\n${more}`,
    ),
  ),
});

let probes = 0;
const serving = () =>
  sh(
    `curl -sk -m 5 --interface 127.3.0.${probes++ % 250} --resolve ${deploys.SITE}:443:127.0.0.1 https://${deploys.SITE}/state`,
  );
const gate = () =>
  sh(`curl -sk -m 5 -o /dev/null -w '%{http_code}' --resolve ${deploys.SITE}:443:127.0.0.1 \
    -H 'Authorization: Bearer ${deploys.TOKEN}' https://${deploys.SITE}/ollama/v1/models`);

/** Runs a command around the next test of the configuration, wherever that happens. */
const atNextTest = (action: string) =>
  sh(`cat >/usr/local/sbin/nginx <<'END' && chmod 755 /usr/local/sbin/nginx && touch /run/next
#!/bin/sh
[ "$1" != -t ] || [ ! -e /run/next ] || { rm /run/next; ${action}; }
exec /usr/sbin/nginx "$@"
END`);

const deployA = async () => {
  await deploys.reset(lab.proxy);
  assert.equal((await programs.apply(lab.proxy, state('A'))).verdict, 'applied');
  assert.equal(await serving(), 'A');
};

const conflict = `server { listen 80; listen 443 ssl; server_name ${deploys.SITE};
  ssl_certificate /etc/letsencrypt/live/${deploys.SITE}/fullchain.pem;
  ssl_certificate_key /etc/letsencrypt/live/${deploys.SITE}/privkey.pem; return 444; }`;
const CONFLICT = '/etc/nginx/sites-enabled/zz-other';

describe('while a change is tested', () => {
  beforeEach(deployA);

  test('the running nginx is not affected', async () => {
    const look = `nsenter -t "$(cat /run/nginx.pid)" -m sh -c 'cat ${deploys.VHOST}; ls -A /etc/nginx/*/' >/run/seen`;
    await atNextTest(look);
    const result = await programs.apply(lab.proxy, state('B'));
    assert.equal(result.verdict, 'applied', result.stdout + result.stderr);
    const seen = await sh('cat /run/seen');
    assert.match(seen, /return 200 A;/);
    assert.doesNotMatch(seen, /^\..*gatepost/m);
    assert.equal(await serving(), 'B');
  });

  for (const [where, prepare] of [
    ['in a separate namespace', 'true'],
    [
      'in place, if no namespace can be created',
      'printf "#!/bin/sh\\nexit 1\\n" >/usr/local/sbin/unshare && chmod 755 /usr/local/sbin/unshare',
    ],
  ] as const)
    test(`${where}, a reload by somebody else does not make a refused change live`, async () => {
      await sh(prepare);
      await deploys.put(lab.proxy, CONFLICT, conflict);
      await atNextTest('/usr/sbin/nginx -s reload; sleep 0.5');
      const result = await programs.apply(lab.proxy, state('B'));
      await sh(`rm ${CONFLICT}`);
      assert.deepEqual(
        [result.verdict, result.failure?.code],
        ['rolled-back', 'test'],
        result.stdout + result.stderr,
      );
      await sh('sleep 0.5');
      assert.equal(await serving(), 'A');
      assert.equal(await deploys.leftovers(lab.proxy), '');
    });

  test('a restart of nginx during the test keeps the previous configuration', async () => {
    await atNextTest('/usr/sbin/nginx -s stop; sleep 0.3; nsenter -t 1 -m /usr/sbin/nginx');
    const result = await programs.apply(lab.proxy, state('B', '    nonsense on;\n'));
    assert.deepEqual(
      [result.verdict, result.failure?.code],
      ['rolled-back', 'test'],
      result.stdout + result.stderr,
    );
    assert.equal(await serving(), 'A');
  });

  test('tests linked folders and mounted files, too', async () => {
    await sh(`mv /etc/nginx/sites-available /srv/vhosts && ln -s /srv/vhosts /etc/nginx/sites-available
      echo 'map $uri $mounted { default yes; }' >/root/mounted.conf && touch /etc/nginx/conf.d/mounted.conf
      mount --bind /root/mounted.conf /etc/nginx/conf.d/mounted.conf`);
    try {
      const uses = '    add_header X-Mounted $mounted;\n';
      const refused = await programs.apply(lab.proxy, state('C', '    nonsense on;\n'));
      assert.deepEqual([refused.verdict, refused.failure?.code], ['rolled-back', 'test'], refused.stdout);
      assert.equal(refused.stdout.match(/\tstep\twrite/g), null, 'it was tested in place');
      const edit = ({ role, content }: { role: string; content: string }) =>
        role === 'map' ? `${content}# more\n` : (state('B', uses).edit?.({ role, content } as never) ?? '');
      const result = await programs.apply(lab.proxy, { token: deploys.TOKEN, edit });
      assert.equal(result.verdict, 'applied', result.stdout + result.stderr);
      assert.equal(await serving(), 'B');
    } finally {
      await sh(`umount /etc/nginx/conf.d/mounted.conf; rm /etc/nginx/conf.d/mounted.conf
        rm /etc/nginx/sites-available && mv /srv/vhosts /etc/nginx/sites-available`);
    }
  });
});

const DAMAGES: Readonly<Record<string, string>> = {
  'the maps are deleted': `rm ${deploys.MAPS}`,
  'the maps are emptied': `: >${deploys.MAPS}`,
  'the maps are truncated': `truncate -s 900 ${deploys.MAPS}`,
  'the WebSocket map is deleted': `rm ${deploys.WEBSOCKET}`,
  'the vhost is deleted, its link is not': `rm ${deploys.VHOST}`,
  'the vhost is emptied': `: >${deploys.VHOST}`,
  'the vhost contains nonsense': `echo 'nonsense;' >>${deploys.VHOST}`,
  'the vhost conflicts with another site': `echo 'upstream theirs { server 127.0.0.1:1; }' >>${deploys.VHOST}`,
  'everything but the link is deleted': `rm -r ${deploys.VHOST} ${deploys.MAPS} ${deploys.WEBSOCKET} /etc/nginx/ia-enso-bearers`,
  'the file of a client is truncated': `printf '"~^(?i:bearer) +half' >>/etc/nginx/ia-enso-bearers/editor.map`,
  'the file of a client contains nonsense': `printf '%s\\n' nonsense '}' >>/etc/nginx/ia-enso-bearers/editor.map`,
};

const rollback = (): Promise<programs.Program> => rollbackProgram(programs.context);
const removal = (): Promise<programs.Program> => removalProgram(programs.site, { dryRun: false });

describe('a managed file is missing or damaged', () => {
  const OTHER_UPSTREAM = '/etc/nginx/sites-enabled/zz-theirs';
  before(async () => {
    await deployA();
    assert.equal((await programs.apply(lab.proxy, state('B'))).verdict, 'applied');
    const editor = `# Client "editor"\\n"~^(?i:bearer) +editor-0123456789abcdef\\\\z" inference:editor;\\n`;
    await sh(`printf '${editor}' >/etc/nginx/ia-enso-bearers/editor.map; chmod 600 /etc/nginx/ia-enso-bearers/editor.map
      echo 'upstream theirs { server 127.0.0.1:2; }' >${OTHER_UPSTREAM}
      nginx -t 2>&1 && nginx -s reload && mkdir /root/B && cp -a /etc/nginx /var/lib/gatepost /root/B`);
  });
  beforeEach(() =>
    sh(`find /etc/nginx /var/lib/gatepost -mindepth 1 -delete; cp -a /root/B/nginx /etc; cp -a /root/B/gatepost /var/lib
      /usr/sbin/nginx -s reload; sleep 0.3`),
  );

  const repairs = {
    'deploy repairs it': async (isOfClients: boolean) => {
      const result = await programs.apply(lab.proxy, state('B'));
      assert.equal(result.verdict, 'applied', result.stdout + result.stderr);
      await sh('nginx -t');
      assert.deepEqual([await serving(), await gate()], ['B', '200']);
      if (isOfClients) assert.match(await sh('cat /etc/nginx/ia-enso-bearers/editor.map'), /^# damaged: /m);
      assert.equal((await programs.apply(lab.proxy, state('B'))).verdict, 'unchanged');
    },
    'rollback goes back': async () => {
      const result = await programs.execute(lab.proxy, await rollback());
      assert.equal(result.verdict, 'applied', result.stdout + result.stderr);
      await sh('nginx -t');
      assert.equal(await serving(), 'A');
    },
    'remove removes the rest': async () => {
      const result = await programs.execute(lab.proxy, await removal());
      assert.equal(result.verdict, 'applied', result.stdout + result.stderr);
      await sh(
        `nginx -t && ! ls ${deploys.VHOST} ${deploys.LINK} ${deploys.MAPS} /etc/nginx/ia-enso-bearers 2>/dev/null`,
      );
    },
  };
  const cases = Object.entries(DAMAGES).flatMap(([damage, doIt]) =>
    Object.entries(repairs).map(([repair, check]) => ({ damage, doIt, repair, check })),
  );

  // One in four, not one in three: that would always select the same repair.
  for (const { damage, doIt, repair, check } of sampled(cases, 4))
    test(`${damage}: ${repair}`, async () => {
      await sh(doIt);
      await check(damage.includes('client'));
    });

  test("refuses if another file is damaged too, with nginx's error", async () => {
    await sh(`rm ${deploys.MAPS}; echo 'their_nonsense on;' >>${OTHER_UPSTREAM}`);
    const tree = await deploys.tree(lab.proxy, '/etc/nginx');
    for (const program of [await programs.deployProgram(state('B')), await rollback(), await removal()]) {
      const result = await programs.execute(lab.proxy, program);
      assert.deepEqual([result.verdict, result.failure?.code], ['refused', 'sick'], result.stdout);
      assert.match(result.failure?.text ?? '', /their_nonsense/);
    }
    assert.equal(await deploys.tree(lab.proxy, '/etc/nginx'), tree);
  });

  test('the next deploy recovers it together with a killed run', async () => {
    const program = await programs.deployProgram(state('C'));
    await programs.installShims(lab.proxy);
    const { calls } = await programs.runWithPlan(lab.proxy, await programs.deployProgram(state('C')), '');
    await sh(`find /etc/nginx /var/lib/gatepost -mindepth 1 -delete; cp -a /root/B/nginx /etc; cp -a /root/B/gatepost /var/lib
      /usr/sbin/nginx -s reload; sleep 0.3`);
    const inPlace = calls.findIndex((line) => / wc -c/.test(line)) + 1;
    await programs.runWithPlan(lab.proxy, program, `${inPlace} before KILL`);
    await sh(`rm ${deploys.MAPS}; rm -f /usr/local/sbin/*`);
    const next = await programs.apply(lab.proxy, state('D'));
    assert.equal(next.verdict, 'applied', next.stdout + next.stderr);
    assert.deepEqual([await serving(), await gate()], ['D', '200']);
    assert.equal(await sh('find /var/lib/gatepost -name reload-due'), '');
  });
});
