/** A manual installation with the lines in docs/proxy.md, and a deploy that adopts it. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import * as deploys from '../../lab/actors/deploys.ts';
import { ROOT } from '../../lab/actors/project.ts';
import { type Lab, startLab } from '../../lab/namespaces/lab.ts';

let lab: Lab;
let token = '';

before(async () => {
  lab = await startLab();
  const page = await readFile(join(ROOT, 'docs/proxy.md'), 'utf8');
  const [, lines = ''] = /## Install by hand[\s\S]*?```sh\n([\s\S]*?)```/.exec(page) ?? [];
  const { status, stderr } = await lab.proxy.sh(`set -e; cd ${ROOT}\n${lines}sleep 1`);
  assert.equal(status, 0, stderr);
  assert.ok(!stderr.includes('warn'), stderr);
  token = /[0-9a-f]{64}/.exec((await lab.proxy.sh(`cat ${deploys.CLIENT}`)).stdout)?.[0] ?? '';
});
after(() => lab.stop());

describe('installed manually', () => {
  it('the gate accepts the token, and nobody without it', async () => {
    assert.deepEqual(
      [await deploys.gate(), await deploys.gate(token), await deploys.gate(token.toUpperCase())],
      [401, 200, 401],
    );
  });

  it('differs from what the scripts install only in the inlined snippets', async () => {
    const { stdout } = await lab.run('deploy', ['--dry-run']);
    const removed = stdout.split('\n').filter((line) => /^-(?!--)/.test(line));
    assert.ok(
      removed.length > 5 && removed.every((line) => /^- *include snippets\//.test(line)),
      removed.join('\n'),
    );
  });

  it('a deploy adopts it: the previous state is kept, the token stays', async () => {
    const { outcome, token: generated } = await deploys.deploy(lab);
    assert.deepEqual([outcome, generated], ['applied', undefined]);
    assert.deepEqual([await deploys.gate(), await deploys.gate(token)], [401, 200]);
    assert.equal((await deploys.deploy(lab)).outcome, 'unchanged');
  });
});
