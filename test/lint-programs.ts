/**
 * Runs shellcheck on every program as a proxy gets it, with no check disabled in its text. Functions that are passed by
 * name (each_wanted swap) seem unreachable to shellcheck, whose message says to ignore that: SC2317, in later versions
 * SC2329. Of programs that differ only in the values of their constants, and in the called verb, it checks the first.
 */
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { VERBS } from '../lib/program/program.ts';
import { EVERY_SCRIPT } from './lab/actors/composed.ts';

/** File contents are data; nginx has its own variables. */
const CONTENT = /^(content_\d+\(\) \{ printf %s )'(?:[^']|'\\'')*'(; \})$/gm;
const VALUE = /^([A-Z_]+=)'(?:[^']|'\\'')*'$/gm;
const CALL = new RegExp(`^(?:${Object.keys(VERBS).join('|')})$`, 'm');

function shellcheck(text: string): Promise<{ readonly status: number | null; readonly output: string }> {
  const child = spawn('shellcheck', ['--norc', '-s', 'sh', '-e', 'SC2317,SC2329', '-']);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (part: Buffer) => {
      output += part;
    });
  child.stdin.end(text);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, output }));
  });
}

const different = new Map<string, { readonly name: string; readonly text: string }>();
for (const [name, program] of EVERY_SCRIPT) {
  const text = program.replace(CONTENT, '$1text$2');
  const alike = text.replace(VALUE, '$1').replace(CALL, 'verb');
  if (!different.has(alike)) different.set(alike, { name, text });
}

const programs = [...different.values()];
async function checkInTurn(): Promise<void> {
  for (let next = programs.shift(); next; next = programs.shift()) {
    const { status, output } = await shellcheck(next.text);
    if (status === 0 && !/shellcheck disable/.test(next.text)) continue;
    process.exitCode = 1;
    process.stderr.write(`${next.name}:\n${output}${status === 0 ? 'a check is disabled\n' : ''}`);
  }
}

await Promise.all(Array.from({ length: availableParallelism() }, checkInTurn));
