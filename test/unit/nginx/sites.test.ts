/** Sites with a name in a setting, or without one: how they are rendered, and how hosts adapt them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { readSettings } from '../../../lib/config/settings.ts';
import { findSites, pickSite, withNameFrom } from '../../../lib/config/site-registry.ts';
import {
  certificateFilesOf,
  isNameless,
  titleOf,
  vhostFile,
  withPublicName,
} from '../../../lib/model/site.ts';
import { render, renderHttpOnly } from '../../../lib/nginx/render.ts';
import { inline } from '../../../lib/nginx/template.ts';
import { siteProgram } from '../../../lib/program/program.ts';
import { ROOT } from '../../../lib/util/project.ts';

const sites = await findSites();

/** The nexus site with these settings, and its vhosts. */
async function nexus(environment: Record<string, string> = {}) {
  const picked = pickSite(sites, 'nexus');
  const given = { NEXUS_PROXY_HOST: '10.0.0.1', ...environment };
  const settings = await readSettings(picked, sites.values(), { envFile: '/dev/null' }, given);
  const site = withNameFrom(picked, settings.values);
  const [full, httpOnly] = [await render(site, settings), await renderHttpOnly(site, settings)];
  const vhostOf = (files: typeof full) => files.find(({ role }) => role === 'vhost')?.content ?? '';
  return { site, full, vhost: vhostOf(full), httpOnly: vhostOf(httpOnly) };
}

const linesOf = (text: string, word: string) =>
  text.split('\n').flatMap((line) => (line.trim().startsWith(`${word} `) ? [line.trim()] : []));

/** A vhost as adapted by a host with this nginx. */
async function adapted(vhost: string, version: string, ipv6: boolean): Promise<string> {
  const parts = ['locate', 'listen', 'files'].map((part) =>
    readFile(new URL(`lib/program/sh/${part}.sh`, ROOT), 'utf8'),
  );
  const plan = `LISTENS='' VHOST_ORDER='' SERVER_NAMES=''; say() { :; }; plan_listens /none`;
  const text = `${(await Promise.all(parts)).join('')}\nhas_ipv6() { ${ipv6 ? 'true' : 'false'}; }\nVERSION=${version}\n${plan}\nvhost() { cat <<'END_OF_VHOST'\n${vhost}END_OF_VHOST\n}\nvhost_text vhost\n`;
  const { stdout, stderr } = spawnSync('/bin/sh', ['-s'], { input: text, encoding: 'utf8' });
  assert.equal(stderr, '');
  return stdout;
}

describe('a site without a name', () => {
  it('is the default server on both ports, with its own certificate', async () => {
    const { site, vhost, httpOnly } = await nexus();
    assert.ok(isNameless(site));
    assert.deepEqual(linesOf(vhost, 'listen'), [
      'listen 80 default_server;',
      'listen [::]:80 default_server;',
      'listen 443 ssl http2 default_server;',
      'listen [::]:443 ssl http2 default_server;',
    ]);
    assert.deepEqual(linesOf(vhost, 'server_name'), ['server_name _;', 'server_name _;']);
    assert.deepEqual(linesOf(vhost, 'ssl_certificate'), ['ssl_certificate /etc/nexus/tls.crt;']);
    assert.deepEqual(linesOf(vhost, 'ssl_certificate_key'), ['ssl_certificate_key /etc/nexus/tls.key;']);
    assert.deepEqual(linesOf(httpOnly, 'listen'), [
      'listen 80 default_server;',
      'listen [::]:80 default_server;',
    ]);
  });

  it('conflicts with no name, because `_` belongs to no site', async () => {
    const { site, full } = await nexus();
    assert.match((await siteProgram('apply', site, full)).text, /^SERVER_NAMES=''$/m);
  });
});

describe('a site with a name from a setting', () => {
  const NAMED = { NEXUS_SERVER_NAME: 'Nexus.Example.org' };

  it('has that name, the certificate of certbot, and no default_server', async () => {
    const { site, full, vhost, httpOnly } = await nexus(NAMED);
    assert.ok(!isNameless(site));
    assert.equal(certificateFilesOf(site).chain, '/etc/letsencrypt/live/nexus.example.org/fullchain.pem');
    for (const text of [vhost, httpOnly]) {
      assert.doesNotMatch(text, /default_server/);
      for (const line of linesOf(text, 'server_name')) assert.equal(line, 'server_name nexus.example.org;');
    }
    assert.match(
      vhost,
      /^ +ssl_certificate_key \/etc\/letsencrypt\/live\/nexus\.example\.org\/privkey\.pem;$/m,
    );
    assert.match((await siteProgram('apply', site, full)).text, /^SERVER_NAMES='nexus.example.org'$/m);
  });

  it('whose name is an address is the default server, because TLS clients then send no name', async () => {
    const { site, vhost, httpOnly } = await nexus({ NEXUS_SERVER_NAME: '203.0.113.5' });
    assert.equal(certificateFilesOf(site).chain, '/etc/letsencrypt/live/203.0.113.5/fullchain.pem');
    assert.match(vhost, /^ +listen 443 ssl http2 default_server;$/m);
    assert.match(httpOnly, /^ +listen 80 default_server;$/m);
    assert.match(vhost, /^ +server_name 203\.0\.113\.5;$/m);
  });

  it('keeps its own name if the setting does not exist', () => {
    const ia = pickSite(sites, 'ia.enso.4nkweb.com');
    assert.equal(withNameFrom(ia, NAMED), ia);
  });
});

describe('a host', () => {
  const listens = async (version: string, ipv6: boolean, environment = {}) => {
    const text = await adapted((await nexus(environment)).vhost, version, ipv6);
    return [...linesOf(text, 'listen'), ...linesOf(text, 'http2')];
  };

  it('with an old nginx gets http2 as a parameter of listen', async () => {
    assert.deepEqual(await listens('1.22.1', true), [
      'listen 80 default_server;',
      'listen [::]:80 default_server;',
      'listen 443 ssl http2 default_server;',
      'listen [::]:443 ssl http2 default_server;',
    ]);
  });

  it('with a new nginx gets it as a directive, once per server', async () => {
    assert.deepEqual(await listens('1.25.1', true), [
      'listen 80 default_server;',
      'listen [::]:80 default_server;',
      'listen 443 ssl default_server;',
      'listen [::]:443 ssl default_server;',
      'http2 on;',
    ]);
    assert.deepEqual(await listens('1.31.0', true, { NEXUS_SERVER_NAME: 'a.example.org' }), [
      'listen 80;',
      'listen [::]:80;',
      'listen 443 ssl;',
      'listen [::]:443 ssl;',
      'http2 on;',
    ]);
  });

  it('without IPv6 gets no IPv6 listener', async () => {
    const old = ['listen 80 default_server;', 'listen 443 ssl http2 default_server;'];
    assert.deepEqual(await listens('1.18.0', false), old);
    const modern = ['listen 80 default_server;', 'listen 443 ssl default_server;', 'http2 on;'];
    assert.deepEqual(await listens('1.26.0', false), modern);
  });
});

describe('another public name', () => {
  const NAME = 'ai.example.org';

  /** The files of ia.enso with this name, and the site. */
  async function rendered(name: string, more: Record<string, string> = {}) {
    const picked = pickSite(sites, 'ia.enso.4nkweb.com');
    const machines = { IA_ENSO_PROXY_HOST: 'p', IA_ENSO_PROXY_USER: 'u', IA_ENSO_BACKEND_IP: '10.0.0.1' };
    const given = { IA_ENSO_SERVER_NAME: name, ...machines, ...more };
    const settings = await readSettings(picked, sites.values(), { envFile: '/dev/null' }, given);
    const site = withNameFrom(picked, settings.values);
    const files = [...(await render(site, settings)), ...(await renderHttpOnly(site, settings))];
    return { site, settings, files };
  }

  it('replaces the default one in every file and file name', async () => {
    const { site, files } = await rendered(NAME);
    const text = files.map(({ name, content }) => `${name}\n${content}`).join('\n');
    assert.doesNotMatch(text, /4nkweb/);
    assert.equal(
      text,
      (await rendered('ia.enso.4nkweb.com')).files
        .map(({ name, content }) => `${name}\n${content}`)
        .join('\n')
        .replaceAll('ia.enso.4nkweb.com', NAME),
    );
    for (const line of [
      `server_name ${NAME};`,
      `ssl_certificate /etc/letsencrypt/live/${NAME}/fullchain.pem;`,
      `access_log /var/log/nginx/${NAME}.access.log ia_enso;`,
    ])
      assert.ok(text.includes(line), line);
    assert.deepEqual(
      [site.name, vhostFile(site), titleOf(site), site.gate?.log],
      ['ia.enso.4nkweb.com', `${NAME}.conf`, NAME, `/var/log/nginx/${NAME}.access.log`],
    );
  });

  it('does not change longer names, or names of maps and clients', async () => {
    const { site, files } = await rendered(NAME);
    const longer = 'x.ia.enso.4nkweb.com ia.enso.4nkweb.com-2 xia.enso.4nkweb.com iaxenso.4nkweb.com';
    assert.equal(withPublicName(site, longer), longer);
    assert.ok(files.some(({ name }) => name === 'ia-enso-http-maps.conf'));
    assert.equal(site.gate?.clients, '/etc/nginx/ia-enso-bearers');
  });

  it('has an HTTP-only vhost to use while the earlier name is served', async () => {
    const { site, settings } = await rendered(NAME);
    const [httpOnlyVhost] = await renderHttpOnly(site, settings, true);
    assert.equal(linesOf(httpOnlyVhost?.content ?? '', 'log_format').length, 0);
    assert.deepEqual(linesOf(httpOnlyVhost?.content ?? '', 'server_name'), [`server_name ${NAME};`]);
    assert.equal(httpOnlyVhost?.name, `${NAME}.conf`);
  });
});

describe('a manual installation', () => {
  it('gives the vhosts that the scripts render, except for the location of snippets', async () => {
    const page = await readFile(new URL('docs/proxy.md', ROOT), 'utf8');
    const lines = page.split('\n').filter((line) => /^sed 's.*> \/etc\/nginx\/sites-available/.test(line));
    assert.equal(lines.length, 2);
    const folder = await readdir(new URL('sites/snippets/', ROOT));
    const texts = folder.map((name) => readFile(new URL(`sites/snippets/${name}`, ROOT), 'utf8'));
    const snippets = Object.fromEntries((await Promise.all(texts)).map((text, i) => [folder[i], text]));
    for (const line of lines) {
      const [command = '', target = ''] = line.split(' > ');
      const { stdout } = spawnSync('/bin/sh', ['-c', command], { cwd: ROOT, encoding: 'utf8' });
      const site = pickSite(sites, target.replace(/.*\/(.*)\.conf$/, '$1'));
      const given = { [`${site.prefix}_PROXY_HOST`]: '10.0.0.1', IA_ENSO_SERVER_NAME: 'ia.enso.4nkweb.com' };
      const settings = await readSettings(site, sites.values(), { envFile: '/dev/null' }, given);
      const rendered = (await render(site, settings)).find(({ role }) => role === 'vhost');
      assert.equal(inline(stdout, snippets), rendered?.content, line);
    }
  });
});

test('a site with a gate is not rendered from a template that forgets it, or has it in a comment', async () => {
  const site = pickSite(sites, 'ia.enso.4nkweb.com');
  const own = await mkdtemp(join(tmpdir(), 'gatepost-ungated-'));
  const folder = `${pathToFileURL(own)}/`;
  const settings = await readSettings(site, sites.values(), { envFile: '/dev/null' }, {});
  const vhost = await readFile(new URL(`sites/${site.name}.conf`, ROOT), 'utf8');
  for (const before of ['', '#']) {
    const text = vhost.replace(/include snippets\/gate\.conf;\n/g, before && `${before}$&`);
    await writeFile(join(own, `${site.name}.conf`), text);
    await assert.rejects(render({ ...site, folder }, settings), /has no `include snippets\/gate\.conf;`/);
  }
  await rm(own, { recursive: true });
});
