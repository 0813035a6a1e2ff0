/** The page of verify.ts --html as text: escaping and order. A browser test judges its appearance. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { CertificateLife, CheckResult, CheckStatus } from '../../../../lib/model/check.ts';
import { certificateBar } from '../../../../lib/output/html/certificate-bar.ts';
import { contentOf, type PageHost } from '../../../../lib/output/html/content.ts';
import { documentText } from '../../../../lib/output/html/document.ts';
import { scale, ticks } from '../../../../lib/output/html/figure.ts';
import { html } from '../../../../lib/output/html/html.ts';
import { streamChart } from '../../../../lib/output/html/stream-chart.ts';
import { verdictOf } from '../../../../lib/output/html/verdict.ts';
import { redactor } from '../../../../lib/output/redact.ts';
import { Secret } from '../../../../lib/util/secret.ts';

const HOSTILE = `"><script>alert('x')</script>&amp;`;
const ESCAPED = '&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;amp;';

test('a template escapes values and inserts templates unchanged', () => {
  const inner = html`<b>${HOSTILE}</b>`;
  assert.equal(
    html`<p title="${HOSTILE}">${inner}${[inner]}${undefined}${0}</p>`.html,
    `<p title="${ESCAPED}"><b>${ESCAPED}</b><b>${ESCAPED}</b>0</p>`,
  );
});

const check = (name: string, status: CheckStatus, more: Partial<CheckResult> = {}): CheckResult => ({
  name,
  status,
  ok: status !== 'failed',
  detail: `${name}.`,
  milliseconds: 5,
  ...more,
});
const host = (...checks: CheckResult[]): PageHost => ({
  name: 'h',
  title: 'Checks',
  milliseconds: {},
  checks,
});
const lost: PageHost = { ...host(), name: '192.0.2.9', failure: { code: 'ssh', text: 'gone', fix: 'look' } };
const [good, bad, soon, not] = [
  check('a', 'passed'),
  check('b', 'failed'),
  check('c', 'warned'),
  check('d', 'skipped'),
];

for (const [status, text, ...hosts] of [
  ['passed', 'All checks passed', host(good, good)],
  ['passed', 'No check failed, some were skipped', host(good, not)],
  ['skipped', 'Nothing could be checked', host(not)],
  ['warned', 'No check failed, 1 warning', host(good, soon)],
  ['failed', '1 check failed', host(good, soon, bad)],
  ['failed', '2 checks failed', host(bad), host(good, bad)],
  ['failed', 'Unreachable', lost],
  ['failed', 'Unreachable: 192.0.2.9', host(good), lost],
  ['failed', 'Unreachable: 192.0.2.9; 1 check failed', host(bad), lost],
] as const)
  test(`the verdict: ${text}`, () => {
    assert.deepEqual(verdictOf(hosts), { status, text });
  });

test('the worst results come first, else in the order of the checks', async () => {
  const hosts = [host(not, good, soon, check('e', 'passed'), bad)];
  const text = await documentText({ site: 's', made: '2026-11-22T17:40:35Z', who: 'w', hosts });
  assert.deepEqual([...text.matchAll(/class="name">(\w)</g)].map(([, name]) => name).join(''), 'bcaed');
});

test('text from a server never becomes HTML', async () => {
  const text = HOSTILE;
  const checks = [check(text, 'failed', { detail: `\`${text}\` ${text}`, curl: text })];
  const hosts = [
    {
      ...lost,
      name: text,
      title: text,
      checks,
      failure: { code: 'ssh' as const, text, cause: text, fix: text },
    },
    lost,
  ];
  const whole = await documentText({ site: text, made: text, who: text, hosts });
  assert.ok(!whole.includes('<script'));
  assert.equal(whole.split(ESCAPED).length - 1, 17);
});

test('only the inline style sheet is allowed, and nothing else may load', async () => {
  const text = await documentText({ site: 's', made: '2026-11-22T17:40:35Z', who: 'w', hosts: [lost] });
  const [, style = ''] = /<style>(.*?)<\/style>/s.exec(text) ?? [];
  const sum = createHash('sha256').update(style).digest('base64');
  assert.match(text, /<meta http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;; /);
  assert.ok(text.includes(`style-src &#39;sha256-${sum}&#39;`));
  assert.ok(!/ style=| on\w+=|url\(|@import|https?:/.test(text));
});

test('secrets are redacted before escaping', () => {
  const token = new Secret('Alpha.Token&<with>"every"\'kind');
  const seen = check('a', 'failed', { detail: `sent ${token.reveal()}` });
  const all = [{ name: 'h', milliseconds: {}, title: 't', checks: [seen] }] as unknown as PageHost[];
  const { hosts } = contentOf({ name: 's', serverName: 's' }, { clean: redactor([token]) }, all);
  assert.equal(hosts[0]?.checks[0]?.detail, 'sent [REDACTED]');
});

test('a scale stays on the chart and has few, round ticks', () => {
  assert.deepEqual([0, 50, 100, 150, -1].map(scale(0, 100)), [0, 50, 100, 100, 0]);
  assert.equal(scale(5, 5)(5), 0);
  for (const [end, expected] of [
    [0, [0]],
    [1, [0, 1]],
    [3, [0, 1, 2, 3]],
    [613, [0, 200, 400, 600]],
    [1000, [0, 500, 1000]],
    [41_999, [0, 10_000, 20_000, 30_000, 40_000]],
  ] as const)
    assert.deepEqual(ticks(end), expected);
});

const numbers = (text: string, pattern: RegExp) =>
  [...text.matchAll(pattern)].map(([, number]) => Number(number));

test('a stream has one mark per chunk, at its time and as high as its events', () => {
  const chunks = [
    { at: 100, events: 1 },
    { at: 200, events: 4 },
    { at: 400, events: 2 },
  ];
  const { html: text } = streamChart({ kind: 'stream', pieces: chunks, total: 400 }, 'id');
  assert.deepEqual(numbers(text, /circle cx="([\d.]+)%"/g), [25, 50, 100]);
  const [small = 0, tall = 0, middle = 0] = numbers(text, / cy="(\d+)"/g);
  assert.ok(tall < middle && middle < small, `${text}`);
});

const DAY = 86_400_000;
const NOW = new Date('2026-11-22T00:00:00Z');
const life = (from: number, to: number): CertificateLife => ({
  kind: 'certificate',
  notBefore: new Date(NOW.getTime() + from * DAY).toISOString(),
  notAfter: new Date(NOW.getTime() + to * DAY).toISOString(),
  daysLeft: to,
  warnDays: (to - from) / 4,
  failDays: (to - from) / 9,
});

for (const [fact, from, to, today, left, colour, says] of [
  ['in the middle of its lifetime', -45, 45, 50, 50, 'passed', '45 days left'],
  ['with little time left', -80, 20, 80, 20, 'warned', '20 days left'],
  ['with too little time left', -94, 6, 94, 6, 'failed', '6 days left'],
  ['that has expired', -90, -10, 100, 0, 'failed', 'expired 10 days ago'],
  ['that is not valid yet', 10, 100, 0, 90, 'failed', 'not valid yet'],
  ['valid for an hour', -0.02, 0.02, 50, 50, 'passed', '0 hours left'],
  ['valid for six days, with two and a half left', -3.5, 2.5, 58.33, 41.67, 'passed', '2 days left'],
] as const)
  test(`a certificate ${fact}`, () => {
    const { html: text } = certificateBar({ ...life(from, to), daysLeft: Math.floor(to) }, NOW, 'id');
    assert.deepEqual(numbers(text, /class="today" x1="([\d.]+)%"/g), [today]);
    assert.deepEqual(
      numbers(text, new RegExp(`class="left ${colour}" x="[\\d.]+%" width="([\\d.]+)%"`, 'g')),
      [left],
    );
    assert.match(text, new RegExp(`today: ${says}`));
    for (const width of numbers(text, /width="([^"]+)%"/g)) assert.ok(width >= 0 && width <= 100);
  });
