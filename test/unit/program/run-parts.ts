/** Runs functions from single parts of the shell program, in dash, busybox and bash, if installed. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import * as lines from '../../../lib/nginx/client-map.ts';
import { ROOT } from '../../../lib/util/project.ts';
import { quote } from '../../../lib/util/shell.ts';

const SHELLS = [['dash'], ['busybox', 'sh'], ['bash', '--posix']].filter(
  ([name = '']) => spawnSync(name, ['-c', ':']).error === undefined || name === 'dash',
);
/** A scratch folder. */
export const directory = mkdtempSync(join(tmpdir(), 'gatepost-sh-'));
after(() => rmSync(directory, { recursive: true }));

const part = (name: string): string => readFileSync(new URL(`lib/program/sh/${name}.sh`, ROOT), 'utf8');
const CONSTANTS = `set -u
LC_ALL=C RUN=R1 SITE=site STORE=/nonexistent LETSENCRYPT=/etc/letsencrypt VERSION='' LAST=''
FINGERPRINT_DIGITS=12 OLD_KEY_START=${quote(lines.OLD_KEY_START)} CREATED_MARK='# created' ROTATED_MARK='# rotated'
KEY_SIZE=24 LINE_SIZE=3500 DOLLAR=ia_enso_dollar HEADER_START='# Client "' HEADER_END='"' NOW=2026-11-22T17:40:35Z
CLIENTS=${quote(directory)}/clients LIVE_FILES=${quote(directory)}/live WANTED=''
`;

/** A command's output after sourcing these parts, which must be the same in every shell. */
export function run(parts: readonly string[], command: string, input = ''): string {
  const file = join(directory, 'input');
  writeFileSync(file, input);
  const text = `${CONSTANTS}${parts.map(part).join('\n')}\n{ ${command}\n} <${quote(file)}\n`;
  const outputs = SHELLS.map(([name = '', ...args]) => {
    const { stdout, stderr } = spawnSync(name, [...args, '-s'], { input: text, encoding: 'utf8' });
    assert.equal(stderr, '', name);
    return stdout;
  });
  assert.equal(new Set(outputs).size, 1, outputs.join('\n---\n'));
  return outputs[0] ?? '';
}
