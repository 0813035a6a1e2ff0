/** verify.ts --html: the pages of a healthy and of a failing site, in real Chromium, without a network. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser } from 'playwright-core';
import type { CheckResult } from '../../../lib/model/check.ts';
import { deploy, put, TOKEN, VHOST, withToken } from '../../lab/actors/deploys.ts';
import { type Lab, startLab } from '../../lab/namespaces/lab.ts';
import { SITE } from '../../lab/namespaces/network.ts';
import { local } from '../../lab/namespaces/process.ts';
import { type ScriptResult, script } from '../clients/clients-lab.ts';
import { centersOf, lowContrastTexts, type Opened, open, startBrowser, visibleText } from './page-browser.ts';
import { age } from './page-certificate.ts';

/** Part of a hostile backend's response after it has sent back the token: tries to take over the page. */
const HOSTILE = `"><script>document.title='owned'</script><img src=x onerror=alert(1)>&amp;`;
const SPOIL = `location = /ollama/v1/chat/completions {
  return 418 "$http_authorization ${HOSTILE.replaceAll('"', '\\"')}";
}`;
const LOG = `/var/log/nginx/${SITE}.access.log`;
const FIRST = '192.168.1.100';
const SECOND = '192.168.1.101';
const LOST = '192.168.1.250';
const env = withToken(TOKEN);

let lab: Lab;
let browser: Browser;
let healthy: ScriptResult;
let severalHosts: ScriptResult;
let good: Opened;
let failing: Opened;
before(async () => {
  [lab, browser] = await Promise.all([startLab({ proxies: 2 }), startBrowser()]);
  const { exit, stderr } = await deploy(lab, env);
  assert.equal(exit, 0, stderr);
  await spoil();
  const hosts = [FIRST, SECOND, LOST].join();
  healthy = await verify('--html', 'good.html');
  severalHosts = await verify('--html', file('unwell'), '--via-ssh', '--host', hosts);
  [good, failing] = await Promise.all([open(browser, file('good')), open(browser, file('unwell'))]);
});
after(async () => {
  await browser.close();
  await lab.stop();
});

const file = (name: string) => `${lab.directory}/${name}.html`;
const verify = (...args: string[]) => script(lab, 'verify', ['--json', ...args], { env });

/** Breaks the second proxy: its certificate has 15 of 90 days left, and its backend is hostile. */
async function spoil(): Promise<void> {
  const second = lab.proxies[1] ?? assert.fail();
  await age(second, { begun: 75, left: 15 });
  await put(second, '/etc/nginx/spoil.conf', SPOIL);
  const include = 's,location = /ollama {,include /etc/nginx/spoil.conf;\\n&,';
  const { status, stderr } = await second.sh(`sed -i '${include}' ${VHOST} && nginx -t && nginx -s reload`);
  assert.equal(status, 0, stderr);
  await sleep(400);
}

const checksOf = ({ json }: ScriptResult, host = 0) =>
  (json.hosts[host]?.checks ?? []) as readonly CheckResult[];

/** The measurement of that kind, from the checks' results. */
function measured<K extends 'stream' | 'certificate'>(kind: K, checks: readonly CheckResult[]) {
  const found = checks.flatMap((check) => check.measured ?? []).find((each) => each.kind === kind);
  return (found ?? assert.fail(`no ${kind} was measured`)) as Extract<typeof found, { kind: K }>;
}

test("shows every check of a healthy site in the terminal's words, with scripts off", async () => {
  assert.equal(healthy.status, 0, healthy.stderr);
  assert.match(healthy.stderr, /the page is \S+good\.html\n/);
  assert.equal(healthy.json.html, file('good'));
  assert.equal((await stat(file('good'))).mode & 0o777, 0o644);
  const { page, requests, errors } = good;
  const text = await visibleText(page.locator('body'));
  for (const { status, name, detail, milliseconds } of checksOf(healthy)) {
    const words = `${status}\n${name}\n${milliseconds} ms\n${detail.replaceAll('`', '')}\n`;
    assert.ok(text.includes(words), `${words} in ${text}`);
  }
  assert.ok(healthy.stderr.includes(`${await visibleText(page.locator('h2'))}\n`));
  assert.match(text, /^\S+\n✓ No check failed, some were skipped\nchecks: \d+ passed, 1 skipped\n/);
  assert.match(text, /\n\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC, by \w+@/);
  assert.equal(await page.title(), `${SITE}: No check failed, some were skipped`);
  assert.deepEqual([requests, errors], [[`file://${file('good')}`], []]);
});

test('marks each chunk of the stream in order', async () => {
  const { page } = good;
  const { pieces, total } = measured('stream', checksOf(healthy));
  assert.ok(pieces.length >= 3);
  const axis = page.locator('.stream .axis line').first();
  const marks = await centersOf(page.locator('.stream .piece circle'), axis);
  assert.equal(marks.length, pieces.length);
  for (const [i, { at }] of pieces.entries())
    assert.ok(Math.abs((marks[i] ?? -1) - at / total) < 0.01, `${marks} for ${JSON.stringify(pieces)}`);
});

for (const [host, daysLeft] of [89, 14].entries())
  test(`marks today on a certificate with ${daysLeft} days left`, async () => {
    const { page } = failing;
    const bar = page.locator('.life').nth(host);
    const { notBefore, notAfter, ...life } = measured('certificate', checksOf(severalHosts, host));
    assert.equal(life.daysLeft, daysLeft);
    const [today = -1] = await centersOf(bar.locator('.today'), bar.locator('.whole'));
    const left = ((1 - today) * (Date.parse(notAfter) - Date.parse(notBefore))) / 86_400_000;
    assert.ok(left > daysLeft - 0.5 && left < daysLeft + 1.5, `${left} days`);
    assert.match((await bar.textContent()) ?? '', new RegExp(`today: ${daysLeft} days left`));
  });

test("shows a hostile server's response as text, contains no token, and runs nothing even with scripts on", async () => {
  const { page, requests, errors } = await open(browser, file('unwell'), { scripts: true });
  const text = await visibleText(page.locator('body'));
  assert.ok(text.includes(`returns 418: Bearer [REDACTED] ${HOSTILE}`), text);
  assert.ok(!(await readFile(file('unwell'), 'utf8')).includes('Alpha.Token'));
  assert.equal(await page.locator('script, img, iframe, link, form').count(), 0);
  assert.match(await page.title(), /: Unreachable/);
  assert.deepEqual([requests, errors], [[`file://${file('unwell')}`], []]);
});

test('links to each failure, host by host, the worst first', async () => {
  assert.equal(severalHosts.status, 1, severalHosts.stderr);
  const { page } = failing;
  assert.match(
    await visibleText(page.locator('header')),
    /✗ Unreachable: 192\.168\.1\.250; 1 check failed\n/,
  );
  assert.deepEqual(await page.getByRole('navigation').getByRole('listitem').allInnerTexts(), [
    `${FIRST}: ✓ No check failed, some were skipped`,
    `${SECOND}: ✗ 1 check failed, streaming`,
    `${LOST}: ✗ Unreachable`,
  ]);
  const worst = page.getByRole('region').nth(1).getByRole('listitem');
  assert.match(await visibleText(worst.first()), /^✗ failed\nstreaming\n/);
  assert.match(await visibleText(worst.nth(1)), /^! warned\ncertificate\n/);
  await page.getByRole('link', { name: 'streaming' }).click();
  assert.equal(await visibleText(page.locator(':target .name')), 'streaming');
  const lost = await visibleText(page.getByRole('region').nth(2));
  assert.match(lost, /through SSH\n✗ .*192\.168\.1\.250.*\n(cause\n.*\n)?fix\n/);
});

test('describes its parts and charts to a screen reader', async () => {
  const { page } = failing;
  for (const role of ['banner', 'main', 'navigation', 'contentinfo'] as const)
    assert.equal(await page.getByRole(role).count(), 1, role);
  assert.equal(await visibleText(page.getByRole('heading', { level: 1 })), SITE);
  for (const [i, address] of [FIRST, SECOND, LOST].entries()) {
    const region = page.getByRole('region', { name: `Checks of https://${SITE} on ${address}, through SSH` });
    const checks = region.getByRole('list').getByRole('listitem').getByRole('heading', { level: 3 });
    assert.equal(await region.count(), 1, address);
    assert.equal(await checks.count(), checksOf(severalHosts, i).length);
  }
  assert.equal(await page.getByRole('img', { name: 'Validity of the certificate' }).count(), 2);
  assert.equal(await page.getByRole('img', { name: 'Chunks of the streamed response' }).count(), 1);
  assert.equal(await page.locator('html').getAttribute('lang'), 'en');
});

test('is readable in light and dark, on a desktop and on a phone', async () => {
  const { page } = failing;
  await page.evaluate('for (const details of document.querySelectorAll("details")) details.open = true');
  const papers = new Set<string>();
  for (const scheme of ['light', 'dark'] as const)
    for (const width of [1280, 360]) {
      await page.emulateMedia({ colorScheme: scheme });
      await page.setViewportSize({ width, height: 800 });
      assert.deepEqual(await lowContrastTexts(page), [], `${scheme}, ${width} px`);
      assert.equal(await page.evaluate<number>('document.documentElement.scrollWidth'), width);
      papers.add(await page.evaluate<string>('getComputedStyle(document.body).backgroundColor'));
    }
  assert.equal(papers.size, 2);
});

test('shows the commands on request and in print', async () => {
  const { page } = good;
  const line = page.locator('details pre').first();
  assert.equal(await line.isVisible(), false);
  await page.emulateMedia({ media: 'print' });
  assert.equal(await line.isVisible(), true);
  await page.emulateMedia({ media: 'screen' });
  await page.getByText('Run manually').first().click();
  assert.equal(await line.isVisible(), true);
  assert.equal(await visibleText(line), checksOf(healthy)[0]?.curl);
});

test('makes no connection if the page cannot be written', async () => {
  const sealed = `${lab.directory}/sealed`;
  await mkdir(sealed);
  await local`mount -t tmpfs -o ro lab ${sealed}`;
  await writeFile(`${lab.directory}/kept`, 'mine\n');
  await lab.proxy.sh(`: >${LOG}`);
  const tries = [
    [`${sealed}/page.html`, /sealed is not writable \(EROFS\)/],
    ['kept', /--html kept: already exists and is not a report page/],
  ] as const;
  const result = await Promise.all(tries.map(([name]) => verify(`--html=${name}`)));
  for (const [i, { status, stderr, json }] of result.entries()) {
    assert.equal(status, 2, stderr);
    assert.match(json.error?.message ?? '', tries[i]?.[1] ?? /^$/);
  }
  assert.equal((await lab.proxy.sh(`cat ${LOG}`)).stdout, '');
  assert.equal(await readFile(`${lab.directory}/kept`, 'utf8'), 'mine\n');
  await local`umount ${sealed}`;
});

test('reports the results if the page cannot be saved at the end', async () => {
  const taken = file('taken');
  await writeFile(taken, '<!doctype html>\n');
  // No file can be renamed onto a mount point.
  await local`mount --bind ${taken} ${taken}`;
  const result = await verify('--html', taken, '--only', 'http to https');
  await local`umount ${taken}`;
  assert.equal(result.status, 1, result.stderr);
  assert.match(result.json.error?.message ?? '', /taken\.html cannot be written: EBUSY/);
  assert.equal(result.json.hosts[0]?.checks[0]?.status, 'passed');
  assert.equal(await readFile(taken, 'utf8'), '<!doctype html>\n');
});
