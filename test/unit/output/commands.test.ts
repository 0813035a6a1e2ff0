/** Commands in advice include this run's flags, so that they can be pasted. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { readFlags } from '../../../lib/cli/flags.ts';
import { commandsWith, NOT_LOCAL } from '../../../lib/output/commands.ts';

/** The text as printed by a run with these flags. */
const printed = (text: string, ...args: string[]): string =>
  commandsWith(readFlags({ name: 'x', does: 'X.', flags: ['local', 'dry-run'] }, args))(text);

describe('a command in advice', () => {
  test('gets the site, proxies and env file of this run, after its own arguments', () => {
    assert.equal(
      printed(
        'Remove it: `npx tsx scripts/remove.ts`, or run `npx tsx scripts/bearers.ts add NAME`.',
        '--host=a,b',
        '--env',
        'prod.env',
        '--site',
        'llm.example.org',
      ),
      'Remove it: `npx tsx scripts/remove.ts --site llm.example.org --host a,b --env prod.env`, or run `npx tsx scripts/bearers.ts add NAME --site llm.example.org --host a,b --env prod.env`.',
    );
  });

  test('is unchanged if the run was given none of them', () => {
    const text = 'Run `npx tsx scripts/deploy.ts`, then `nginx -t`.';
    assert.equal(printed(text), text);
    assert.equal(printed(text, '--dry-run', '--json'), text);
  });

  test('gets --site even if that is the default, since it may be pasted elsewhere', () => {
    assert.equal(
      printed('`npx tsx scripts/status.ts`', '--site', 'ia.enso.4nkweb.com'),
      '`npx tsx scripts/status.ts --site ia.enso.4nkweb.com`',
    );
  });

  test('gets no flag twice, in either form', () => {
    for (const own of ['--site x', '--site=x'])
      assert.equal(
        printed(`\`node scripts/status.ts ${own}\``, '--site', 'y', '--env', 'e'),
        `\`node scripts/status.ts ${own} --env e\``,
      );
  });

  test('has shell-quoted values', () => {
    assert.equal(
      printed('`npx tsx scripts/status.ts`', '--env', "/a b/it's $HOME"),
      "`npx tsx scripts/status.ts --env '/a b/it'\\''s $HOME'`",
    );
    assert.equal(
      printed('`npx tsx scripts/status.ts`', '--env=-x', '--host', 'fe80::1%eth0'),
      '`npx tsx scripts/status.ts --host fe80::1%eth0 --env=-x`',
    );
  });

  test('gets --local if its script has that flag', () => {
    assert.equal(
      printed('`npx tsx scripts/deploy.ts` `npx tsx scripts/verify.ts`', '--local', '--site', 's'),
      '`npx tsx scripts/deploy.ts --site s --local` `npx tsx scripts/verify.ts --site s`',
    );
  });

  test('gets no --host if it connects to none', () => {
    assert.equal(
      printed('`npx tsx scripts/approve.ts --bundle approve.sh`', '--host', 'a', '--site', 's'),
      '`npx tsx scripts/approve.ts --bundle approve.sh --site s`',
    );
  });

  test('with --help gets no flags', () => {
    const text = 'See: `npx tsx scripts/bearers.ts --help`';
    assert.equal(printed(text, '--site', 's'), text);
  });
});

test('the list of scripts without --local is complete', async () => {
  const folder = new URL('../../../scripts/', import.meta.url);
  const withoutLocal: string[] = [];
  for (const file of await readdir(folder)) {
    const [, flags] = /flags: \[([^\]]*)\]/.exec(await readFile(new URL(file, folder), 'utf8')) ?? [];
    if (flags !== undefined && !flags.includes("'local'")) withoutLocal.push(file.replace('.ts', ''));
  }
  assert.deepEqual(withoutLocal.sort(), NOT_LOCAL);
});

test('every command that lib/ prints is in backticks, where flags are added', async () => {
  const folder = new URL('../../../lib/', import.meta.url);
  const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith('.ts'));
  // The page's footer names its generator, and the usage line of --help its script.
  const exempt = [/<code>npx tsx scripts\/verify\.ts --html<\/code>/, /const usage = /, /STATUS = /];
  for (const file of files)
    for (const line of (await readFile(new URL(file, folder), 'utf8')).split('\n'))
      if (/(npx tsx|node) scripts\//.test(line) && !exempt.some((known) => known.test(line)))
        for (const { 1: before = '' } of line.matchAll(/(.?.)(?:npx tsx|node) scripts\//g))
          assert.match(before, /`$/, `${file}: ${line}`);
});
