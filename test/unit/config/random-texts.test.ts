/**
 * Random env files and templates, judged by dotenv, by a shell, and by their construction. FC_RUNS sets their number.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parse } from 'dotenv';
import fc from 'fast-check';
import { withSetting, writeSetting } from '../../../lib/config/env-edit.ts';
import { assignmentsIn } from '../../../lib/config/env-file.ts';
import { fill, inline, markersOf } from '../../../lib/nginx/template.ts';
import { contentFunction } from '../../../lib/program/program.ts';
import { StopError } from '../../../lib/util/errors.ts';
import { Secret } from '../../../lib/util/secret.ts';
import { quote } from '../../../lib/util/shell.ts';

const numRuns = Number(process.env.FC_RUNS ?? 300);
const seed = Number(process.env.FC_SEED ?? Date.now() % 1e9);
const check = <T>(property: fc.IProperty<T>) => fc.assert(property, { numRuns, seed });
const joined = (...parts: fc.Arbitrary<string>[]) => fc.tuple(...parts).map((texts) => texts.join(''));
const oneOf = (...texts: string[]) => fc.constantFrom(...texts);

const token = fc.stringMatching(/^[!#-&(-[\]-~]{16,40}$/);

describe('an env file', () => {
  const name = oneOf('A', 'B', 'T', 'T2', 'XT', 'a.b-c', 'A_1');
  const plain = fc.stringMatching(/^[ -~\té]{0,12}$/);
  const value = fc.oneof(
    plain,
    plain.map((text) => `'${text.replaceAll("'", '')}'`),
    plain.map((text) => `"${text.replaceAll('"', '')}"`),
    plain.map((text) => `\`${text.replaceAll('`', '')}\``),
    oneOf(
      '"',
      "'",
      '"\nT=no\n"',
      "'\nX\n'",
      '#',
      ' # c',
      '"a" # b',
      "'a'#b",
      'x#y',
      '\\',
      '"\\""',
      '$A',
      '\0',
    ),
  );
  const assignment = joined(
    oneOf('', '', ' ', '\t', 'export ', 'export\t'),
    name,
    oneOf('=', '=', ' = ', ': ', ':', '= '),
    value,
  );
  const line = fc.oneof(
    { weight: 5, arbitrary: assignment },
    { weight: 1, arbitrary: oneOf('', '# c', '#T=old', 'T', '=x', '  ', 'export T') },
  );
  const file = fc
    .tuple(
      oneOf('', '', '\uFEFF'),
      fc.array(line, { maxLength: 6 }),
      oneOf('\n', '\n', '\r\n', '\r'),
      fc.boolean(),
    )
    .map(([mark, lines, end, isEnded]) => mark + lines.join(end) + (isEnded ? end : ''));

  test(`has the assignments that dotenv reads (seed ${seed})`, () => {
    check(
      fc.property(file, (text) => {
        const names = new Set(assignmentsIn(text.replace(/\r\n?/g, '\n')).map((each) => each.name));
        assert.deepEqual([...names].sort(), Object.keys(parse(text)).sort());
      }),
    );
  });

  test(`changes one value and keeps all others, or stays unchanged (seed ${seed})`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gatepost-env-'));
    const path = join(folder, '.env');
    let refused = 0;
    for (const [text, secret] of fc.sample(fc.tuple(file, token), { numRuns, seed })) {
      if (assignmentsIn(text).filter((each) => each.name === 'T').length > 1) continue;
      writeFileSync(path, text);
      const done = await writeSetting(path, 'T', new Secret(secret)).catch((error: unknown) => error);
      const after = readFileSync(path, 'utf8');
      if (done instanceof StopError) {
        refused += 1;
        assert.equal(after, text);
      } else assert.deepEqual(parse(after), { ...parse(text), T: secret }, JSON.stringify(text));
    }
    rmSync(folder, { recursive: true });
    assert.ok(refused < numRuns / 5, `${refused} of ${numRuns} refused`);
  });

  test(`is read by a shell as written (seed ${seed})`, () => {
    const special = oneOf(
      '~root/0123456789abcdef',
      'a:~root/0123456789abc',
      '0123456789abcdef=~/x',
      '*?[a-z]{a,b}0123456789',
    );
    const values = [...fc.sample(fc.oneof(token, special), { numRuns: Math.min(numRuns, 500), seed })];
    const text = values.reduce((all, secret, i) => withSetting(all, `T${i}`, secret), '');
    const print = values.map((_, i) => `printf '%s\\n' "$T${i}"\n`).join('');
    const { stdout } = spawnSync('/bin/sh', ['-s'], { input: text + print, encoding: 'utf8' });
    assert.deepEqual(stdout.split('\n').slice(0, -1), values);
  });
});

describe('a template', () => {
  const names = ['A', 'B1', 'LONG_NAME', 'X_2'];
  const marker = fc.constantFrom(...names);
  const text = fc.string({ maxLength: 12 }).filter((each) => !each.includes('_'));
  const chunk = fc.oneof(
    text.map((each) => ({ text: each })),
    marker.map((each) => ({ marker: each })),
  );
  const value = fc.oneof(
    fc.string(),
    oneOf('__A__', '__B1__', '$&', '$1', '$$', "$'", '`id`', '\n__X_2__\n'),
  );
  const values = fc.record(Object.fromEntries(names.map((name) => [name, value])));

  test(`is filled in one pass, even if values contain markers (seed ${seed})`, () => {
    check(
      fc.property(fc.array(chunk), values, (chunks, all) => {
        const template = chunks.map((each) => ('text' in each ? each.text : `__${each.marker}__`)).join('');
        const used = new Set(chunks.flatMap((each) => ('marker' in each ? [each.marker] : [])));
        assert.deepEqual(markersOf(template), used);
        const values = Object.fromEntries([...used].map((name) => [name, all[name] ?? '']));
        const expected = chunks.map((each) => ('text' in each ? each.text : values[each.marker])).join('');
        assert.equal(fill('t', template, values), expected);
      }),
    );
  });

  test(`has each snippet inlined once (seed ${seed})`, () => {
    const lines = fc.array(oneOf('a;', '', '}', '$&'), { minLength: 1, maxLength: 4 });
    check(
      fc.property(lines, fc.stringMatching(/^[ \t]{0,4}$/), (snippet, indent) => {
        const filled = inline(`x;\n${indent}include snippets/s.conf;\ny;\n`, {
          's.conf': `${snippet.join('\n')}\n`,
        });
        const expectedLine = snippet
          .join('\n')
          .trimEnd()
          .replace(/^(?=.)/gm, () => indent);
        assert.equal(filled, `x;\n${expectedLine}\ny;\n`);
      }),
    );
  });
});

describe('a program', () => {
  test(`prints each file unchanged in every shell (seed ${seed})`, () => {
    const line = fc.oneof(
      fc.string({ maxLength: 20 }),
      oneOf('END_OF_FILE', 'END_OF_FILE_', '}', '$(id)', '`id`', "'", '\\', 'exit', '\\\\n', '${x'),
    );
    const files = fc.sample(fc.array(line, { maxLength: 5 }), { numRuns: Math.min(numRuns, 500), seed });
    const texts = files.map((lines) => `${lines.join('\n')}\n`.replaceAll('\0', ''));
    for (const shell of ['/bin/sh', '/bin/bash']) {
      const calls = texts.map((_, i) => `content_${i}; echo '<end ${i}>'`);
      const input = ['{', ...texts.map((each, i) => contentFunction(i, each)), ...calls, '}', ''].join('\n');
      const { stdout } = spawnSync(shell, ['-s'], { input, encoding: 'utf8' });
      assert.equal(stdout, texts.map((each, i) => `${each}<end ${i}>\n`).join(''), shell);
    }
  });

  test(`keeps the value of every constant (seed ${seed})`, () => {
    const values = fc.sample(fc.string(), { numRuns, seed }).map((text) => text.replaceAll('\0', ''));
    const { stdout } = spawnSync('/bin/sh', ['-s'], {
      input: values.map((text) => `printf '%s\\001' ${quote(text)}\n`).join(''),
      encoding: 'utf8',
    });
    assert.deepEqual(
      stdout.split('\u0001').slice(0, -1),
      values.map((text) => text),
    );
  });
});
