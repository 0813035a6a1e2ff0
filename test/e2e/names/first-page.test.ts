/**
 * The first page of README.md as typed: another name, another user, a direct connection; from a clone to passing
 * checks.
 */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { copyProject, ROOT } from '../../lab/actors/project.ts';
import { type Lab, startLab } from '../../lab/namespaces/lab.ts';
import { OTHER_NAME } from '../../lab/namespaces/network.ts';
import { finished, local } from '../../lab/namespaces/process.ts';

const readme = await readFile(join(ROOT, 'README.md'), 'utf8');
const block = (before: string): string =>
  new RegExp(`${before}[\\s\\S]*?\`\`\`[a-z]*\\n([\\s\\S]*?)\`\`\``)
    .exec(readme)?.[1]
    ?.replaceAll(/^ {2}/gm, '') ?? '';

let lab: Lab;
let clone: string;
before(async () => {
  lab = await startLab({ certificate: 'none' });
  await lab.startAcme();
  clone = await copyProject(join(lab.directory, 'clone'));
  await cp(join(ROOT, '.env.example'), join(clone, '.env.example'));
  // The operator is also on the proxy's LAN.
  await local`ip addr add 192.168.1.9/24 dev lan`;
  const sudoers = block('visudo');
  assert.match(sudoers, /^admin ALL=/);
  await lab.proxy.sh(
    `useradd -m -p '*' admin && cp -r /home/ncantu/.ssh /home/admin/ && chown -R admin: /home/admin/.ssh
    cat >/etc/sudoers.d/admin && rm /etc/sudoers.d/ncantu`,
    { input: sudoers },
  );
});
after(() => lab.stop());

/** Runs a line of the page in the clone, without any settings in the environment. */
async function type(line: string) {
  const { PATH, HOME, NODE_EXTRA_CA_CERTS } = lab.env;
  const env = { PATH, HOME, NODE_EXTRA_CA_CERTS };
  const command = line.replace(/ *#.*/, '').replace('npx tsx', 'node --import tsx');
  return finished(spawn('/bin/sh', ['-ec', command], { cwd: clone, env }));
}

const commands = block('## Deploy').split('\n').filter(Boolean);

test('nothing runs before the five values are filled in, and each is named', async () => {
  const [, copies = ''] = block('## Set up').split('\n');
  assert.equal((await type(copies)).status, 0);
  const { status, stdout } = await type(commands[0] ?? '');
  assert.equal(status, 2);
  assert.equal(stdout.match(/placeholder/g)?.length, 5, stdout);
});

test('the five values and two commands give a healthy site', async () => {
  const values = block('begins with five values')
    .replace('192.168.1.10\n', `${lab.proxy.address}\n`)
    .replace('192.168.1.20', '192.168.1.164');
  assert.match(values, new RegExp(`^IA_ENSO_SERVER_NAME=${OTHER_NAME}$`, 'm'));
  const written = values.replaceAll(/^(\w+)=(.*)$/gm, "sed -i 's|^$1=.*|$1=$2|' .env");
  assert.equal(
    (await type(`${written}echo ACME_DIRECTORY_URL=${lab.env.ACME_DIRECTORY_URL} >>.env`)).status,
    0,
  );
  for (const [i, line] of commands.entries()) {
    const { status, stdout, stderr } = await type(line);
    assert.equal(status, 0, stdout + stderr);
    assert.match(stdout, new RegExp(`^${OTHER_NAME} on ${lab.proxy.address}, directly$`, 'm'));
    assert.match(stdout, /: (live|unchanged)/);
    assert.doesNotMatch(stdout, /4nk|ncantu|failed/);
    if (i > 0) continue;
    const [token = ''] = stdout.match(/\b[0-9a-f]{64}\b/) ?? [];
    await type(`echo IA_ENSO_OLLAMA_BEARER_TOKEN=${token} >>.env`);
  }
  const verified = await type('npx tsx scripts/verify.ts');
  assert.equal(verified.status, 0, verified.stdout);
  assert.match(verified.stdout, /✓ bearer gate opens/);
  const files = await lab.proxy.sh(
    'grep -rl 4nkweb /etc/nginx /etc/letsencrypt/live; ls /etc/nginx/sites-enabled',
  );
  assert.equal(files.stdout, `${OTHER_NAME}.conf\ndefault\n`);
});

test('the page shows the actual output', async () => {
  const [example = ''] = readme.split('## ').slice(0, 1);
  const { stdout } = await type('npx tsx scripts/deploy.ts');
  const first = /^ai\.example\.org on .*$/m;
  const shape = (text: string) => first.exec(text)?.[0].replace(/[\d.]+,/, 'X,');
  assert.equal(shape(example), shape(stdout));
});
