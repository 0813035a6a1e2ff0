/** lib/program/sh/ uses exactly the words of lib/model/contract.ts. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { PROGRAM_FACTS, PROGRAM_FAILURES, PROGRAM_STEPS, ROW_KINDS } from '../../../lib/model/contract.ts';
import { OUTCOMES } from '../../../lib/model/host-report.ts';
import { VERBS } from '../../../lib/program/program.ts';
import { NOTED } from '../../../lib/remote/protocol.ts';
import { ROOT } from '../../../lib/util/project.ts';

const folder = new URL('lib/program/sh/', ROOT);
/** The parts, without comments and messages. */
const text = readdirSync(folder)
  .filter((name) => !['approved-only.sh', 'hook.sh', 'prelude.sh'].includes(name))
  .map((name) => readFileSync(new URL(name, folder), 'utf8').replace(/^ *#.*$/gm, ''))
  .join('\n');

/** The first arguments of all calls of these functions; variables are skipped, as their values are found elsewhere. */
function firstArguments(commands: string): readonly string[] {
  const command = new RegExp(
    `(?:^|[;{|&!()']|\\b(?:then|else|do))\\s*(?:${commands})\\s+"?([a-z][\\w-]*)`,
    'gm',
  );
  return [...new Set([...text.matchAll(command)].map(([, word = '']) => word))].sort();
}

const TABLE: readonly [what: string, words: readonly string[], commands: string][] = [
  ['codes of failures', PROGRAM_FAILURES, 'refuse|refuse_for|roll_back|fail|say_error'],
  ['steps', Object.keys(PROGRAM_STEPS), 'step'],
  ['facts', PROGRAM_FACTS, 'say fact'],
  ['kinds of rows', ROW_KINDS, 'say row'],
  ['kinds of records', [...NOTED.keys()], 'say|show'],
  [
    'verdicts',
    [...OUTCOMES.filter((outcome) => outcome !== 'unknown'), 'asked', 'cancelled', 'restore-failed'],
    'finish',
  ],
];

describe('the contract', () => {
  for (const [what, words, commands] of TABLE)
    it(`has the ${what} of the shell program, and no others`, () =>
      assert.deepEqual(firstArguments(commands), [...words].sort()));

  it('has a function of the shell program for every verb', () => {
    for (const verb of Object.keys(VERBS)) assert.match(text, new RegExp(`^${verb}\\(\\) \\{`, 'm'));
  });
});
