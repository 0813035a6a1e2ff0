/**
 * Runs shellcheck on every program as a proxy gets it, with no check disabled in its text. Functions that are passed by
 * name (each_wanted swap) seem unreachable to shellcheck, whose message says to ignore that: SC2317, in later versions SC2329.
 */
import { spawnSync } from 'node:child_process';
import { EVERY_SCRIPT } from './lab/actors/composed.ts';

/** The content of a file is data; nginx has variables of its own. */
const CONTENT = /^(content_\d+\(\) \{ printf %s )'(?:[^']|'\\'')*'(; \})$/gm;

let failed = false;
for (const [name, text] of EVERY_SCRIPT) {
  const { status, stdout, stderr } = spawnSync(
    'shellcheck',
    ['--norc', '-s', 'sh', '-e', 'SC2317,SC2329', '-'],
    {
      input: text.replace(CONTENT, '$1text$2'),
      encoding: 'utf8',
    },
  );
  if (status === 0 && !/shellcheck disable/.test(text)) continue;
  failed = true;
  process.stderr.write(`${name}:\n${stdout}${stderr}${status === 0 ? 'a check is disabled\n' : ''}`);
}
process.exit(failed ? 1 : 0);
