/** Failures are told with what they mean and what to do. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { BY_TEXT, explain } from '../../lib/explain.ts';

const failures: readonly [string, string, RegExp][] = [
  ['sudo: a password is required', 'sudo', /NOPASSWD/],
  ['/bin/sh: 1: exec: sudo: not found', 'sudo', /Install sudo/],
  ['nginx: [emerg] cannot load certificate "/etc/x": BIO_new_file() failed', 'test', /bootstrap-tls/],
  ['nginx: [warn] conflicting server name "a" on 0.0.0.0:80, ignored', 'test', /grep -rn server_name/],
  ['[emerg] a duplicate default server for 0.0.0.0:80', 'test', /default_server/],
  ['could not build map_hash, you should increase map_hash_bucket_size: 64', 'test', /regex keys/],
  ['"map_hash_bucket_size" directive is duplicate', 'test', /Keep it once/],
  ['[emerg] 7#7: still could not bind()', 'reload', /ss -ltnp/],
  ['host not found in upstream "nowhere"', 'test', /address/],
  ['cannot write: No space left on device', 'write', /df -h/],
  ['[emerg] unknown directive "x"', 'test', /Mend the template/],
  ['whatever', 'locked', /Wait/],
  ['whatever', 'unknown', /same command once more/],
];

describe('explain', () => {
  for (const [text, code, next] of failures) {
    it(`knows: ${text} (${code})`, () => assert.match(explain({ code, text }).next, next));
  }

  it('leaves the advice of the one who failed as it is', () => {
    assert.deepEqual(explain({ code: 'ssh', text: 'refused', advice: 'Do this.' }), { next: 'Do this.' });
  });

  it('has something to say of what nobody foresaw', () => {
    assert.ok(explain({ code: 'no such code', text: 'no such text' }).next);
  });

  it('is the table of the README', async () => {
    const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
    const shown = readme
      .split('\n')
      .filter((line) => line.startsWith('| `') && line.split(' | ').length === 3);
    for (const { says, means, next } of BY_TEXT)
      assert.ok(
        shown.includes(`| \`${says}\` | ${means} | ${next} |`),
        `missing in README.md:\n| \`${says}\` | ${means} | ${next} |`,
      );
  });
});
