/** Lines for people: wrapped on a terminal, unchanged in a file. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ACME } from '../../../lib/diagnosis/acme-failures.ts';
import { BY_CODE, diagnose } from '../../../lib/diagnosis/diagnose.ts';
import { NGINX } from '../../../lib/diagnosis/nginx-failures.ts';
import { SSH } from '../../../lib/diagnosis/ssh-failures.ts';
import { SUDO } from '../../../lib/diagnosis/sudo-failures.ts';
import { SYMPTOMS } from '../../../lib/diagnosis/symptoms.ts';
import type { Step } from '../../../lib/model/contract.ts';
import { columns, shortened, withLead, wrapped } from '../../../lib/output/text.ts';
import { Secret } from '../../../lib/util/secret.ts';
import { printed, screen } from './screen.ts';

const words = (text: string) => text.split(/\s+/).filter(Boolean);
const check = (detail: string) =>
  ({
    kind: 'check',
    result: { name: 'web interface', status: 'failed', ok: false, milliseconds: 1, detail },
  }) as const;
const LONG =
  'nginx could not reach the backend: the service is down, its firewall does not let the proxy in, or its address is wrong.';

describe('on a terminal', () => {
  for (const width of [60, 80, 110])
    test(`a long detail is wrapped and aligned at ${width} columns, without losing a word`, async () => {
      const lines = await printed(check(LONG), width);
      assert.ok(
        lines.every((line) => columns(line) <= width),
        lines.join('\n'),
      );
      assert.deepEqual(words(lines.join(' ')), words(`✗ web interface ${LONG}`));
      const indents = lines.slice(1).map((line) => /^ */.exec(line)?.[0].length);
      assert.equal(new Set(indents).size, 1);
    });

  test('a word that is too long for the space next to a name goes below it, unbroken', async () => {
    const address = `https://ia.enso.4nkweb.com/${'a'.repeat(30)}`;
    assert.deepEqual(await printed(check(`${address} answers.`), 80), [
      '  ✗ web interface',
      `      ${address} answers.`,
    ]);
  });

  test('at most 110 columns are used', async () => {
    const lines = await printed(check(`${LONG} ${LONG}`), 300);
    assert.ok(lines.length > 1 && lines.every((line) => columns(line) <= 110), lines.join('\n'));
  });

  test('an unknown size counts as 80 columns', async () => {
    assert.deepEqual(await printed(check(LONG), 0), await printed(check(LONG), 80));
  });

  test('lines after a resize fit the new size', async () => {
    const { report, text, resize } = await screen(110);
    report.print({ kind: 'note', text: LONG });
    resize(60);
    const before = text().length;
    report.print({ kind: 'note', text: LONG });
    report.close();
    const after = text().slice(before).split('\n');
    assert.ok(after.length > 2 && after.every((line) => columns(line) <= 60), after.join('\n'));
  });

  test('wide and zero-width characters are counted correctly', () => {
    assert.equal(columns('証明書'), 6);
    assert.equal(columns('e\u0301t\u0065\u0301'), 3);
    assert.equal(columns('\u001b[31m✗ – …\u001b[39m'), 5);
    assert.equal(columns('ｱ\u3000🔒'), 5);
    const lines = wrapped('証明書 '.repeat(30).trim(), 20);
    assert.ok(
      lines.every((line) => columns(line) <= 20),
      lines.join('\n'),
    );
  });

  test('a terminal of a few columns causes no endless loop', async () => {
    assert.equal(shortened('nginx', 3), 'ng…');
    assert.equal(shortened('nginx', -1), '…');
    const start = performance.now();
    assert.equal(shortened('x'.repeat(50_000), 60), `${'x'.repeat(59)}…`);
    assert.ok(performance.now() - start < 100, 'a long text takes no time');
    assert.deepEqual(words((await printed(check('a b'), 1)).join(' ')), ['✗', 'web', 'interface', 'a', 'b']);
  });

  test('the indentation of a program’s output is kept', () => {
    assert.deepEqual(wrapped('  Detail: the CA got something else than the file', 30), [
      '  Detail: the CA got something',
      '  else than the file',
    ]);
  });
});

describe('text to copy', () => {
  const address = `https://ia.enso.4nkweb.com/anythingllm/${'a'.repeat(60)}`;
  const whole = [
    address,
    '/etc/nginx/sites-available/ia.enso.4nkweb.com.conf',
    '`npx tsx scripts/bearers.ts list --site ia.enso.4nkweb.com`',
    '`USER ALL=(root) NOPASSWD: /bin/sh`',
    '`include /etc/nginx/conf.d/*.conf;`',
    '(`openssl x509 -noout -subject -in FILE`)',
    '`a b`/`c d`',
  ];
  for (const one of whole)
    test(`is not broken: ${one.slice(0, 60)}`, () => {
      for (let before = 0; before < 60; before += 7) {
        const lines = wrapped(
          `${'word '.repeat(before / 5)}with: ${one}. Then go on, and read what it says.`,
          49,
        );
        assert.ok(
          lines.some((line) => line.includes(one)),
          lines.join('\n'),
        );
      }
    });

  test('a single backtick does not prevent wrapping', () => {
    for (const text of ['a ` b', '`a b', 'a b`', '`` a'])
      assert.deepEqual(wrapped(text, 1).join(' ').split(' '), text.split(' '));
  });

  const NAMES =
    'npx|sudo|sh|ssh[a-z-]*|nginx|systemctl|certbot|curl|dig|nc|grep|rm|df|chmod|chattr|openssl|visudo|apt';
  const BARE = new RegExp(`(?<![\\w./"-])(?:${NAMES}) (?:-|tsx |/|register|start|install|rand)`);
  test('every command in an explanation is in backticks', () => {
    const points = Object.values(BY_CODE);
    for (const { cause = '', fix } of [
      ...SUDO,
      ...NGINX,
      ...ACME,
      ...SSH,
      ...Object.values(SYMPTOMS),
      ...points,
    ])
      assert.doesNotMatch(`${cause} ${fix}`.replace(/`[^`]+`/g, ''), BARE);
  });

  test('no command in the table of failures is broken at 60 columns', () => {
    for (const { fix } of [...SUDO, ...NGINX, ...ACME, ...SSH])
      for (const [command] of fix.matchAll(/`[^`]+`/g))
        assert.ok(
          wrapped(fix, 49).some((line) => line.includes(command)),
          fix,
        );
  });

  test('a line of advice to paste is on a separate line, unbroken', async () => {
    const line = `echo '4nk.myftp.biz ssh-ed25519 ${'A'.repeat(68)}' >> /root/.ssh/known_hosts`;
    const failure = {
      code: 'ssh' as const,
      text: 'host key unknown',
      fix: `Compare it. If it is the same, type:\n  ${line}`,
    };
    const lines = await printed({ kind: 'failure', host: 'proxy', failure }, 60);
    assert.ok(
      lines.some((each) => each.trim() === line),
      lines.join('\n'),
    );
  });
});

test('no word is lost for any text and width', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme' }),
      fc.string(),
      fc.integer({ min: 1, max: 120 }),
      (lead, text, width) => {
        const whole = lead.replace(/\s/g, '') + text;
        assert.deepEqual(
          words(withLead(lead.replace(/\s/g, ''), ` ${text}`, width)),
          words(`${lead.replace(/\s/g, '')} ${text}`),
          whole,
        );
      },
    ),
  );
});

describe('without a terminal', () => {
  test('a line is not wrapped', async () => {
    assert.deepEqual(await printed(check(`${LONG} ${LONG}`)), [`  ✗ web interface          ${LONG} ${LONG}`]);
  });

  test('no progress line is written', async () => {
    const { report, text } = await screen();
    report.print({ kind: 'hosts', hosts: ['a'] });
    report.print({ kind: 'begin', host: 'a', name: 'reload' });
    report.print({ kind: 'asking', check: 'streaming' });
    report.close();
    assert.equal(text(), '');
  });
});

test('a failure is a separate block: error, cause, fix', async () => {
  const { report, lines } = await screen(80);
  report.print({ kind: 'title', text: 'title' });
  const text = 'nginx: [emerg] unknown directive "x" in /a:1';
  report.print({
    kind: 'failure',
    host: 'p',
    became: 'refused',
    failure: { code: 'sick', text, ...diagnose({ code: 'sick', text }) },
    todo: ['rm -f /a'],
  });
  report.print({ kind: 'summary', ok: false, text: 'p: refused' });
  report.close();
  const labels = lines().map((line) => /^ {4}(error|cause|fix)\b/.exec(line)?.[1] ?? line.trim());
  assert.deepEqual(labels.slice(0, 4), ['title', '', '✗ p: refused', 'error']);
  assert.deepEqual(
    labels.filter((label) => /^(error|cause|fix)$/.test(label)),
    ['error', 'cause', 'fix'],
  );
  assert.deepEqual(labels.slice(-3), ['rm -f /a', '', 'p: refused']);
});

test('a stack trace is one problem', async () => {
  const lines = await printed(
    { kind: 'problem', message: 'A bug: Error: x\n    at y.ts:1\n    at z.ts:2', advice: 'Report it.' },
    80,
  );
  assert.equal(lines.filter((line) => line.includes('✗')).length, 1);
});

test('secrets and control characters are removed from every part of a failure', async () => {
  const { report, text } = await screen(60);
  report.hide(new Secret('a.secret-of-sixteen'));
  const bad = '\u001b[2J a.secret-of-sixteen';
  report.print({ kind: 'step', host: 'p', name: bad as Step, milliseconds: 1, ok: true });
  report.print({
    kind: 'failure',
    host: 'p',
    became: bad,
    failure: { code: 'test', text: bad, cause: bad, fix: `${bad}\n  ${bad}` },
    todo: [bad],
  });
  report.close();
  assert.ok(!text().includes('\u001b') && !text().includes('secret-of'), text());
});
