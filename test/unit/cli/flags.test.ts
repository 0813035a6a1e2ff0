/** The command line: values of flags, which ones exclude each other, and what is never repeated. */
import assert from 'node:assert/strict';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { readFlags } from '../../../lib/cli/flags.ts';
import type { FlagName } from '../../../lib/config/flag-table.ts';
import { UsageError } from '../../../lib/util/errors.ts';

const ALL: readonly FlagName[] = [
  'dry-run',
  'exit-code',
  'client',
  'keep-previous',
  'revoke-previous',
  'write-env',
  'scope',
  'limit',
  'from',
  'to',
  'staging',
  'self-signed',
  'parallel',
  'canary',
  'bundle',
  'render',
  'local',
  'only',
  'connect-to',
  'html',
  'via-ssh',
];
const home = userInfo().homedir;
const read = (...args: string[]) => readFlags({ name: 'x', does: 'X.', flags: ALL }, args);

/** The problems with a command line. */
function problems(...args: string[]): readonly string[] {
  try {
    read(...args);
  } catch (error) {
    assert.ok(error instanceof UsageError, `${error}`);
    return error.problems;
  }
  return [];
}

test('a flag that is not given has its default, and does not count as given', () => {
  const { flags, given } = read('--json');
  assert.deepEqual([flags.env, flags.site, flags.json], ['.env', 'ia.enso.4nkweb.com', true]);
  assert.deepEqual([...given], ['json']);
});

test('an empty value is refused with the name of the flag', () => {
  const names = [...ALL, 'site', 'host', 'env'] as const;
  const withValue = names.filter((name) => typeof read().flags[name] !== 'boolean');
  assert.equal(withValue.length, 15);
  for (const name of withValue)
    for (const value of ['', ' '])
      assert.deepEqual(problems(`--${name}=${value}`), [`--${name}: must not be empty`]);
});

test('all problems are reported together', () => {
  assert.equal(problems('--env', '', '--to', '', '--local', '--host', 'a').length, 3);
});

test('~ is expanded in file names, which shells do not do after =', () => {
  const { flags } = read('--env=~/a', '--html=~', '--host=~/a');
  assert.deepEqual([flags.env, flags.html, flags.host], [join(home, 'a'), home, '~/a']);
  assert.equal(read('--env=~user/a').flags.env, '~user/a');
});

test('a copy is from one proxy to another one', () => {
  assert.deepEqual(problems('--from', '10.0.0.1', '--to', '10.0.0.2'), []);
  const [list] = problems('--from', 'a,b', '--to', 'c');
  assert.match(`${list}`, /^--from: must be a host name or an address/);
  assert.match(problems('--from', 'a', '--to', 'b,c').join(), /^--to: must be /);
  assert.deepEqual(problems('--from', 'A', '--to', 'a'), ['--from and --to: are the same proxy, a']);
  assert.deepEqual(problems('--to', '20261122T182420Z-7de2b6'), []);
});

describe('flags that exclude each other', () => {
  const pairs: readonly (readonly [string, string])[] = [
    ...['--local', '--dry-run', '--canary', '--parallel=2', '--host=a'].map(
      (other) => ['--bundle=f', other] as const,
    ),
    ...['--bundle=f', '--local', '--dry-run', '--host=a'].map((other) => ['--render=d', other] as const),
    ['--bundle=-', '--json'],
    ...['--host=a', '--parallel=2', '--canary'].map((other) => ['--local', other] as const),
    ['--connect-to=a', '--via-ssh'],
    ['--revoke-previous', '--keep-previous'],
    ['--revoke-previous', '--write-env'],
  ];
  for (const [one, other] of pairs)
    test(`${one} and ${other} are refused by name, in either order`, () => {
      for (const args of [
        [one, other],
        [other, one],
      ]) {
        const [problem = '', ...more] = problems(...args);
        assert.deepEqual(more, []);
        for (const flag of args) assert.ok(problem.includes(flag.split('=')[0] as string), problem);
        assert.match(problem, /use only one of them$/);
      }
    });

  test('are accepted with other flags', () => {
    assert.deepEqual(problems('--local', '--dry-run', '--json', '--verbose'), []);
    assert.deepEqual(problems('--host=a,b', '--parallel=2', '--canary', '--dry-run'), []);
  });

  test('do not prevent --help', () => {
    assert.equal(read('--local', '--host', 'a', '--env=', '--help').flags.help, true);
  });
});

test('--exit-code needs --dry-run', () => {
  assert.match(problems('--exit-code').join(), /--exit-code: works only with --dry-run/);
  assert.deepEqual(problems('--exit-code', '--dry-run'), []);
});

test('an unknown flag is reported with a suggestion', () => {
  const meant = (...args: string[]) => /did you mean (--[a-z-]+)\?$/.exec(problems(...args)[0] ?? '')?.[1];
  for (const [flag, other] of [
    ['--jsn', '--json'],
    ['--hots=a', '--host'],
    ['--dryrun', '--dry-run'],
    ['-n', '--dry-run'],
    ['-v', '--verbose'],
    ['-V', '--version'],
    ['json', '--json'],
    ['--force', undefined],
  ] as const)
    assert.equal(meant(flag), other, flag);
  assert.equal(problems('--Sesame-Open-0123456789=Sesame')[0]?.includes('=Sesame'), false);
});

test('a value after a space, of a flag that need not have one, gets a hint', () => {
  const hint = 'unexpected argument; a value of --keep-previous follows =, without a space';
  assert.deepEqual(problems('--keep-previous', '12h'), [hint]);
  assert.deepEqual(problems('12h', '--keep-previous'), ['unexpected argument']);
});

test('an unexpected argument is not repeated in the error', () => {
  assert.deepEqual(problems('Sesame-Open-0123456789'), ['unexpected argument']);
});
