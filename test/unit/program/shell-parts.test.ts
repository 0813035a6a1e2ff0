/**
 * The parts of the shell program: they declare their shared variables, and no two parts of one program define the same
 * function.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { VERBS, type Verb } from '../../../lib/program/program.ts';
import { ROOT } from '../../../lib/util/project.ts';
import { PROGRAMS } from '../../lab/actors/composed.ts';

const folder = new URL('lib/program/sh/', ROOT);
const PARTS = new Map(
  readdirSync(folder)
    .filter((name) => !['approved-only.sh', 'hook.sh', 'prelude.sh'].includes(name))
    .map((name) => [name, readFileSync(new URL(name, folder), 'utf8')]),
);

const all = (text: string, pattern: RegExp): ReadonlySet<string> =>
  new Set([...text.matchAll(pattern)].flatMap(([, names = '']) => names.split(' ')));

/** Global variables are in capitals. */
const assigned = (text: string): ReadonlySet<string> =>
  all(
    text.replace(/^ *#.*$/gm, ''),
    /(?:(?<![^\s;({])|read -r |for )([A-Z][A-Z_]*)(?:=|\b(?<=(?:read -r|for) [A-Z_]+))/gm,
  );
/** In arithmetic, they may occur without `$`. */
const read = (text: string): ReadonlySet<string> => {
  const commands = text.replace(/^ *#.*$/gm, '');
  const arithmetic = [...commands.matchAll(/\$\(\((.*?)\)\)/g)].map(([, sum = '']) => sum).join('\n');
  return new Set([...all(commands, /\$\{?([A-Z][A-Z_]*)/g), ...all(arithmetic, /(?<![\w$])([A-Z][A-Z_]*)/g)]);
};

/** The words in the header line of a part that begins with `word`. */
const declared = (text: string, word: string): readonly string[] =>
  [...all(text, new RegExp(`^# ${word}: (.*)$`, 'gm'))].sort();

const isReadElsewhere = (name: string, variable: string): boolean =>
  [...PARTS].some(([other, text]) => other !== name && read(text).has(variable));

describe('a part of the shell program', () => {
  for (const [name, text] of PARTS) {
    it(`${name} declares which variables it needs and which it leaves`, () => {
      const own = assigned(text);
      assert.deepEqual(
        declared(text, 'Needs'),
        [...read(text)].filter((variable) => !own.has(variable)).sort(),
      );
      assert.deepEqual(
        declared(text, 'Leaves'),
        [...own].filter((variable) => isReadElsewhere(name, variable)).sort(),
      );
    });

    it(`${name} has no check of shellcheck disabled`, () => assert.doesNotMatch(text, /shellcheck disable/));
  }
});

describe('the program of each verb', () => {
  for (const verb of Object.keys(VERBS) as Verb[])
    it(`${verb} defines each function once, and its own`, () => {
      const defined = [...PROGRAMS[verb].matchAll(/^(\w+)\(\) [{(]/gm)].map(([, name = '']) => name);
      assert.deepEqual(
        defined.filter((name, i) => defined.indexOf(name) !== i),
        [],
      );
      assert.ok(defined.includes(verb));
    });
});
