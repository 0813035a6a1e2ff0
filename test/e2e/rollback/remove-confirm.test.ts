/** remove.ts prompts before it removes a site with all its tokens. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import * as deploys from '../../lab/actors/deploys.ts';
import { CTRL_C, onTerminal } from '../../lab/actors/terminal.ts';
import { type Lab, startLab } from '../../lab/namespaces/lab.ts';

const PROMPT = /Type yes or ia\.enso\.4nkweb\.com/;
let lab: Lab;
before(async () => {
  lab = await startLab({ relays: ['jump'] });
  await deploys.deploy(lab, deploys.withToken(deploys.TOKEN));
});
after(() => lab.stop());

/** Runs remove.ts on a terminal and types `keys` at the prompt. */
const removeOnTerminal = (keys: string, args: readonly string[] = [], redirect = '') =>
  onTerminal(lab, 'remove', args, { redirect, typed: { after: PROMPT, keys } });

/** Whether `act` contacts the jump host. */
async function contacts(act: () => Promise<unknown>): Promise<boolean> {
  const before = lab.relay.connections;
  await act();
  return lab.relay.connections > before;
}

describe('without a terminal', () => {
  test('refuses without --yes, names that flag, and makes no connection', async () => {
    for (const args of [[], ['--json'], ['--local']]) {
      const isContacted = await contacts(async () => {
        const { status, stdout, stderr } = await lab.run('remove', args);
        assert.equal(status, 2, stdout + stderr);
        assert.match(stdout + stderr, /--yes/);
      });
      assert.equal(isContacted, false);
    }
  });

  test('--dry-run needs no --yes', async () => {
    const { status, stdout } = await lab.run('remove', ['--dry-run']);
    assert.equal(status, 0, stdout);
    assert.match(stdout, /: planned/);
  });
});

describe('on a terminal', () => {
  const refusals = { no: 'no\r', 'another site': 'nexus\r', Enter: '\r', 'Ctrl-D': '', 'Ctrl-C': CTRL_C };
  for (const [name, keys] of Object.entries(refusals))
    test(`${name} removes nothing, makes no connection and exits with 1`, async () => {
      const isContacted = await contacts(async () => {
        const { status, raw } = await removeOnTerminal(keys);
        assert.equal(status, 1, raw);
        assert.match(raw, /not removed/i);
        assert.match(raw, /No connection was made/);
      });
      assert.equal(isContacted, false);
      assert.equal(await deploys.gate(deploys.TOKEN), 200);
    });

  test('names the site, the proxies and what will be lost', async () => {
    const { rows } = await removeOnTerminal('no\r', ['--host', '192.168.1.100,192.168.1.101']);
    const text = rows.join(' ').replace(/\s+/g, ' ');
    assert.match(text, /ia\.enso\.4nkweb\.com/);
    assert.match(text, /192\.168\.1\.100, 192\.168\.1\.101/);
    assert.match(text, /tokens/);
  });

  test('yes removes it; the prompt goes to stderr and leaves the JSON alone', async () => {
    const file = `${lab.directory}/removed.json`;
    const { status, raw } = await removeOnTerminal('yes\r', ['--json'], `>'${file}'`);
    assert.equal(status, 0, raw);
    assert.equal(JSON.parse(await readFile(file, 'utf8')).hosts[0].outcome, 'applied');
    assert.notEqual(await deploys.gate(deploys.TOKEN), 200);
  });

  test('the name of the site removes it', async () => {
    await deploys.deploy(lab, deploys.withToken(deploys.TOKEN));
    const { status, raw } = await removeOnTerminal(`${deploys.SITE}\r`);
    assert.equal(status, 0, raw);
    assert.notEqual(await deploys.gate(deploys.TOKEN), 200);
  });

  test('--yes and --dry-run skip the prompt', async () => {
    for (const flag of ['--dry-run', '--yes']) {
      const { status, raw } = await onTerminal(lab, 'remove', [flag]);
      assert.equal(status, 0, raw);
      assert.doesNotMatch(raw, PROMPT);
    }
  });
});
