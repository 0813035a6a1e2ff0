/** The list that root approves does not depend on the start files of the operator's shell. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { typescript } from '../../lab/namespaces/process.ts';

const home = mkdtempSync(join(tmpdir(), 'gatepost-home-'));
after(() => rmSync(home, { recursive: true }));

/** The checksums that approve.ts writes for an operator with these start files. */
function sums(bashrc: string): readonly string[] {
  for (const name of ['.bashrc', '.profile', '.bash_profile']) writeFileSync(join(home, name), bashrc);
  const file = join(home, 'approve.sh');
  const { status, stderr } = spawnSync(
    process.execPath,
    typescript('scripts/approve.ts', ['--bundle', file]),
    {
      env: {
        PATH: process.env.PATH,
        HOME: home,
        BASH_ENV: join(home, '.bashrc'),
        ENV: join(home, '.bashrc'),
      },
      cwd: home,
      encoding: 'utf8',
    },
  );
  assert.equal(status, 0, stderr);
  return readFileSync(file, 'utf8').match(/^[0-9a-f]{64} .*$/gm) ?? [];
}

test('a banner in start files changes no checksum', () => {
  const quiet = sums('');
  assert.ok(quiet.length > 20, `${quiet.length}`);
  assert.deepEqual(sums('echo "*** Welcome ***"; alias sh=false; cd /'), quiet);
});
