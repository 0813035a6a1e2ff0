/** The text of remote programs. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { findSites, pickSite } from '../../../lib/config/site-registry.ts';
import type { SiteFile } from '../../../lib/nginx/render.ts';
import { COMMAND, outcomeProgram, siteProgram } from '../../../lib/program/program.ts';
import { quote } from '../../../lib/util/shell.ts';

const site = pickSite(await findSites(), 'ia.enso.4nkweb.com');
const ID = '20261122T174035Z-3fa9c1';
const file = (content: string): SiteFile => ({ role: 'vhost', name: 'a.conf', mode: '644', content });

describe('quote', () => {
  it('passes exactly the text to the shell', () => {
    const printable = fc.string({ unit: 'grapheme', maxLength: 40 }).filter((text) => !text.includes('\0'));
    fc.assert(
      fc.property(printable, (text) => {
        const shown = execFileSync('/bin/sh', ['-c', `printf %s ${quote(text)}`]);
        assert.equal(shown.toString(), text);
      }),
      { numRuns: 50 },
    );
  });
});

describe('a program', () => {
  it('is one compound command that the shell can parse', async () => {
    const { text } = await siteProgram('apply', site, [file('server {}\n')]);
    assert.match(text, /^\{\n/);
    assert.match(text, /\nexit\n\}\n$/);
    assert.equal(spawnSync('/bin/sh', ['-n'], { input: text }).status, 0);
  });

  it('does nothing if it is truncated at any byte', async () => {
    const { text } = await outcomeProgram(site, ID);
    const marked = text.replace("trap '' HUP PIPE", "echo ran; exit\ntrap '' HUP PIPE");
    assert.equal(spawnSync('/bin/sh', ['-s'], { input: marked }).stdout.toString(), 'ran\n');
    for (let cut = 0; cut < marked.length - 2; cut += 97)
      assert.equal(
        spawnSync('/bin/sh', ['-s'], { input: marked.slice(0, cut) }).stdout.length,
        0,
        `cut at ${cut}`,
      );
  });

  it('contains a file unchanged, whatever its lines are', async () => {
    const content = 'END_OF_FILE\n$HOME `id` \\ \' " \n}\nEND_OF_FILE_\n\n';
    const { text } = await siteProgram('plan', site, [file(content)]);
    const printing = text.replace(/\nplan\nexit\n\}\n$/, '\ncontent_0\nexit\n}\n');
    assert.equal(spawnSync('/bin/sh', ['-s'], { input: printing }).stdout.toString(), content);
  });

  it('is started by a command line without site or secret', () => {
    assert.ok(!COMMAND.includes(site.name));
  });
});
