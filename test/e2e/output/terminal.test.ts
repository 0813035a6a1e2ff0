/** The output on a real terminal of 60 columns, and in a file. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { columns } from '../../../lib/output/text.ts';
import * as deploys from '../../lab/actors/deploys.ts';
import { CTRL_C, onTerminal as run } from '../../lab/actors/terminal.ts';
import { type Host, type Lab, startLab } from '../../lab/namespaces/lab.ts';

const SPINNER = /[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/;
const ESCAPE = '\u001b';
const GREEN = `${ESCAPE}[32m`;
let lab: Lab;

before(async () => {
  lab = await startLab({ proxies: 2 });
  await Promise.all(lab.proxies.map(slowDown));
});
after(() => lab.stop());

/** Makes nginx -t slow, as with many sites. */
async function slowDown(host: Host): Promise<void> {
  const slow = '#!/bin/sh\ncase " $*" in *" -t"*) sleep 0.8 ;; esac\nexec /usr/sbin/nginx "$@"\n';
  await deploys.put(host, '/usr/local/sbin/nginx', slow);
  await host.sh('chmod 755 /usr/local/sbin/nginx');
}

const onTerminal = (args: readonly string[], { env, ...options }: Parameters<typeof run>[3] = {}) =>
  run(lab, 'deploy', args, { ...options, env: { ...deploys.withToken(deploys.TOKEN), ...env } });

const HOST = ['--host', '192.168.1.100'];
const QUICK = [...HOST, '--no-verify'];
// An unchanged deploy would not test the configuration.
const CHANGED = { IA_ENSO_BACKEND_IP: '192.168.1.165' };
const CHANGED_AGAIN = { IA_ENSO_BACKEND_IP: '192.168.1.166' };

test('in color, shows a slow step and pending checks while they last, then clears them; fits into 60 columns', async () => {
  const { status, raw, rows } = await onTerminal(HOST);
  assert.equal(status, 0, raw);
  assert.ok(raw.includes(GREEN));
  assert.match(raw, /[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] test configuration \(nginx -t\)/);
  assert.match(raw, /[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] \d+ of \d+ checks; running: /);
  assert.ok(!rows.some((row) => SPINNER.test(row)), rows.join('\n'));
  // An address may be longer; it is not split.
  assert.ok(
    rows.every((row) => columns(row) <= 60 || /^ *\S+$/.test(row)),
    rows.join('\n'),
  );
  assert.ok(rows.some((row) => /✓ test configuration/.test(row)) && /live \(release/.test(rows.join(' ')));
});

test('NO_COLOR prints the same without an escape byte', async () => {
  const { raw, rows } = await onTerminal(QUICK, { env: { ...CHANGED, NO_COLOR: '1' } });
  assert.match(raw, SPINNER);
  assert.ok(!raw.includes(ESCAPE), JSON.stringify(raw));
  assert.ok(!rows.some((row) => SPINNER.test(row)) && rows.some((row) => row.includes(': live')));
});

test('FORCE_COLOR colors piped output; without it there is no escape byte and no spinner', async () => {
  const env = deploys.withToken(deploys.TOKEN);
  const { stdout } = await lab.run('deploy', QUICK, { env });
  assert.match(stdout, /✓ inspect nginx and managed files/);
  assert.ok(
    !stdout.includes(ESCAPE) && !stdout.includes('\r') && !SPINNER.test(stdout),
    JSON.stringify(stdout),
  );
  const forced = (await lab.run('deploy', QUICK, { env: { ...env, FORCE_COLOR: '1' } })).stdout;
  assert.ok(forced.includes(GREEN) && !SPINNER.test(forced), JSON.stringify(forced));
});

test('Ctrl-C leaves its message, no spinner and a visible cursor', async () => {
  const typed = { after: /[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] test configuration/, keys: CTRL_C };
  const { status, raw, rows } = await onTerminal(QUICK, {
    typed,
    env: CHANGED_AGAIN,
  });
  assert.equal(status, 4, raw);
  assert.ok(!rows.some((row) => SPINNER.test(row) || row.includes('^C')), rows.join('\n'));
  assert.ok(
    rows.some((row) => row.includes('✗ Interrupted while the change was running on')),
    rows.join('\n'),
  );
  assert.ok(raw.lastIndexOf('[?25l') <= raw.lastIndexOf('[?25h'), JSON.stringify(raw));
});

test('one line shows the slowest of several hosts, on stderr with --json, whose stdout is JSON only', async () => {
  const file = join(lab.directory, 'out.json');
  const { status, raw, rows } = await onTerminal(['--json', '--no-verify'], { redirect: `>'${file}'` });
  assert.equal(status, 0, raw);
  assert.match(raw, /\d of 2 proxies; slowest: 192\.168\.1\.10\d \w+ \d s/);
  assert.ok(!rows.some((row) => SPINNER.test(row)), rows.join('\n'));
  assert.equal((JSON.parse(await readFile(file, 'utf8')) as { script: string }).script, 'deploy');
});
