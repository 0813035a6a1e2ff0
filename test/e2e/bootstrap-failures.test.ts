/** What keeps a certificate away, each told by its type; nothing that served is lost, and the next run goes on. */
import '../lab/enter.ts';
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { type Lab, startLab } from '../lab/lab.ts';
import { CA_NAME } from '../lab/lab-network.ts';
import { local } from '../lab/lab-process.ts';
import { startOddPebble, startRefusingCa } from './bootstrap-ca.ts';
import { assertHealthy, assertNoTry, bootstrap, issued, NAME, served, WITH_TOKEN } from './bootstrap-lab.ts';

describe('bootstrap-tls without a certificate', () => {
  let lab: Lab;
  let names = '';
  before(async () => {
    lab = await startLab({ certificate: 'none', proxies: 2, backends: false });
    await lab.startAcme();
    names = await readFile('/etc/hosts', 'utf8');
  });
  after(() => lab.stop());

  /** Runs it where it cannot succeed: type and words, and what must hold afterwards. */
  async function fails(code: string, words: RegExp, env: Record<string, string> = {}): Promise<void> {
    const { status, host, stderr } = await bootstrap(lab, [], { env: { ...WITH_TOKEN, ...env } });
    assert.equal(host.failure?.code, code, JSON.stringify(host.failure));
    assert.match(`${host.failure?.text} ${host.failure?.means} ${host.failure?.next}`, words);
    assert.equal(status, 1);
    assert.equal(host.outcome, 'failed');
    assert.match(stderr, /no new certificate; the HTTP-only vhost is in place/);
    await assertHealthy(lab.proxy);
    await assertNoTry(lab.proxy);
  }

  const elsewhere = (address: string) =>
    writeFile('/etc/hosts', names.replace(`203.0.113.100 ${NAME}`, `${address} ${NAME}`));
  const asBefore = () => writeFile('/etc/hosts', names);

  test('the name does not resolve', async () => {
    await writeFile('/etc/hosts', names.replace(NAME, 'other.example'));
    await fails('dns', /does not resolve here/).finally(asBefore);
  });

  test('the name leads to a private address', async () => {
    await elsewhere('192.168.1.100');
    await fails('dns-private', /private address, 192\.168\.1\.100.*ssrf_blocked/s).finally(asBefore);
  });

  test('nothing listens on port 80 of the name', async () => {
    await elsewhere('203.0.113.10');
    await fails('challenge-unreachable', /203\.0\.113\.10 does not answer.*firewall/s).finally(asBefore);
  });

  test('another server answers under the name', async () => {
    await elsewhere('203.0.113.101');
    await fails(
      'challenge-other',
      /at 203\.0\.113\.101 answers 404 \(server: nginx.*record leads elsewhere/s,
    ).finally(asBefore);
  });

  test('a redirect leads elsewhere', async () => {
    await elsewhere('203.0.113.101');
    const other = lab.proxies[1];
    const vhost = `server { listen 80; server_name ${NAME}; return 302 https://elsewhere.example/; }`;
    await other?.sh(`echo '${vhost}' >/etc/nginx/conf.d/other.conf && nginx -s reload && sleep 0.3`);
    await fails('challenge-redirect', /leads to https:\/\/elsewhere\.example/).finally(asBefore);
  });

  test('the IPv6 address goes nowhere', async () => {
    await local`ip addr add 2001:db8::1/64 dev internet nodad`;
    await writeFile('/etc/hosts', `${names}2001:db8::64 ${NAME}\n`);
    await fails('challenge-ipv6', /2001:db8::64 does not answer.*AAAA/s).finally(asBefore);
    await local`ip addr del 2001:db8::1/64 dev internet`;
  });

  test('the CA is not there', () =>
    fails('acme-unreachable', /does not reach the CA/, { ACME_DIRECTORY_URL: `https://${CA_NAME}:9/dir` }));

  test('the CA refuses the name', async () => {
    const ca = await startOddPebble({ config: { domainBlocklist: [NAME] } });
    await fails('acme-refused', /rejectedIdentifier|policy/i, { ACME_DIRECTORY_URL: ca.url }).finally(
      ca.stop,
    );
  });

  test('the CA wants an account that it gave out', async () => {
    const ca = await startOddPebble({ config: { externalAccountBindingRequired: true } });
    await fails('acme-account', /external account binding/i, { ACME_DIRECTORY_URL: ca.url }).finally(ca.stop);
  });

  test('the CA has had too many requests', async () => {
    const detail =
      'too many certificates (5) already issued for this exact set of domains in the last 168h0m0s';
    const ca = await startRefusingCa(429, 'rateLimited', detail);
    await fails('acme-rate-limited', /168h0m0s.*Wait until/s, { ACME_DIRECTORY_URL: ca.url }).finally(
      ca.stop,
    );
  });

  test('the CA takes no nonce', async () => {
    const ca = await startOddPebble({ env: { PEBBLE_WFE_NONCEREJECT: '100' } });
    await fails('acme-bad-nonce', /badNonce/, { ACME_DIRECTORY_URL: ca.url }).finally(ca.stop);
  });

  test('the CA sees another server under the name than this machine does', async () => {
    const hosts = names.replace(`203.0.113.100 ${NAME}`, `203.0.113.101 ${NAME}`);
    await lab.proxies[1]?.sh('rm /etc/nginx/conf.d/other.conf && nginx -s reload && sleep 0.3');
    const ca = await startOddPebble({ hosts });
    await fails('acme-challenge', /another server under this name/, { ACME_DIRECTORY_URL: ca.url }).finally(
      ca.stop,
    );
  });

  test('the CA does not get through to port 80', async () => {
    const hosts = names.replace(`203.0.113.100 ${NAME}`, `203.0.113.10 ${NAME}`);
    const ca = await startOddPebble({ hosts });
    await fails('acme-connection', /does not reach port 80/, { ACME_DIRECTORY_URL: ca.url }).finally(ca.stop);
  });

  test('certbot is not there', async () => {
    // Only in this host's own mounts: nothing of the machine's is touched.
    await lab.proxy.sh('touch /root/nothing && mount --bind /root/nothing /usr/bin/certbot');
    await fails('certbot-missing', /apt install certbot/);
    await lab.proxy.sh('umount /usr/bin/certbot');
  });

  test('certbot is at work already', async () => {
    const hold =
      "import fcntl,time; f=open('/etc/letsencrypt/.certbot.lock','w'); fcntl.lockf(f,fcntl.LOCK_EX); time.sleep(30)";
    await lab.proxy.sh(`/usr/bin/python3 -c "${hold}" >/dev/null 2>&1 & echo $! >/root/holder; sleep 0.3`);
    await fails('certbot-busy', /Another instance of Certbot/);
    await lab.proxy.sh('kill "$(cat /root/holder)"');
  });

  test('the disk is full', async () => {
    await lab.proxy.sh('mount -t tmpfs -o size=8k,mode=755 full /etc/letsencrypt');
    await fails('disk-full', /No space left on device/);
    await lab.proxy.sh('umount /etc/letsencrypt');
  });

  test('with all causes gone, the same command brings certificate and site', async () => {
    const { status, host, stderr } = await bootstrap(lab, ['--no-verify'], { env: WITH_TOKEN });
    assert.equal(status, 0, stderr);
    assert.equal(host.outcome, 'applied');
    assert.equal((await served()).serialNumber, await issued(lab.proxy));
  });

  test('on TLS, a CA that fails takes nothing away', async () => {
    const before = await served();
    const env = { ...WITH_TOKEN, ACME_DIRECTORY_URL: `https://${CA_NAME}:9/dir` };
    const { status, stderr } = await bootstrap(lab, ['--force-renewal'], { env });
    assert.equal(status, 1);
    assert.match(stderr, /no new certificate; what was served before still is/);
    assert.equal((await served()).serialNumber, before.serialNumber);
    await assertHealthy(lab.proxy);
  });
});
