/** How the program parses other configurations (contexts, includes, listen lines), and its decisions. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { quote } from '../../../lib/util/shell.ts';
import { run } from './run-parts.ts';

const AWKS = [['awk'], ['busybox', 'awk'], ['gawk'], ['original-awk']].filter(
  ([name = '']) => spawnSync(name, ['--help']).error === undefined,
);

/** Runs a command with each installed awk. */
function underEach(parts: readonly string[], command: string, input = ''): string {
  const outputs = AWKS.map((awk) =>
    run(parts, `awk() { command ${awk.join(' ')} "$@"; }\n${command}`, input),
  );
  assert.equal(new Set(outputs).size, 1, outputs.join('\n---\n'));
  return outputs[0] ?? '';
}

/** A dump with these files, nginx.conf first. */
const dump = (files: Readonly<Record<string, string>>): string =>
  Object.entries(files)
    .map(
      ([name, text]) =>
        `# configuration file ${name.startsWith('/') ? name : `/etc/nginx/${name}`}:\n${text}\n\n`,
    )
    .join('');

const digest = (files: Readonly<Record<string, string>>, ...words: readonly string[]): readonly string[] =>
  underEach(['digest'], 'digest', dump(files))
    .split('\n')
    .filter((line) => words.includes(line.split(' ')[0] ?? ''));

describe('digest', () => {
  it('knows an include by the block that contains it', () => {
    const conf = `include modules/*.conf; # http { include x/*.conf; }
events { }
stream { include stream.d/*.conf; }
http {
  include conf.d/*.conf; include 'own sites/*.conf';
  map $a $b { include map.d/*.map; "}" "{"; }
  server { include server.d/*.conf; location / { return 200 "include x/*.conf;\\"}"; } }
  include sites-enabled/*.vhost;
}
include tail/*.conf;`;
    assert.deepEqual(digest({ 'nginx.conf': conf }, 'includes', 'elsewhere'), [
      'elsewhere main /etc/nginx/modules/*.conf',
      'elsewhere stream /etc/nginx/stream.d/*.conf',
      'includes 000006 /etc/nginx/conf.d/*.conf .conf',
      'includes 000007 /etc/nginx/own?sites/*.conf -',
      'includes 000015 /etc/nginx/sites-enabled/*.vhost .vhost',
      'elsewhere main /etc/nginx/tail/*.conf',
    ]);
  });

  it('follows includes into other files', () => {
    const files = {
      'nginx.conf': 'include main.d/*.conf; http { include http.conf; }',
      'main.d/a.conf': 'include conf.d/*.conf;',
      'http.conf': 'include http.d/*.conf; server { include server.conf; }',
      'server.conf': 'include deep/*.conf;',
    };
    assert.deepEqual(digest(files, 'includes', 'elsewhere'), [
      'elsewhere main /etc/nginx/main.d/*.conf',
      'includes 000003 /etc/nginx/http.conf -',
      'elsewhere main /etc/nginx/conf.d/*.conf',
      'includes 000003!/etc/nginx/http.conf!000001 /etc/nginx/http.d/*.conf .conf',
    ]);
  });

  const ends: readonly [pattern: string, end: string][] = [
    ['*', '.conf'],
    ['*.conf', '.conf'],
    ['*.vhost', '.vhost'],
    ['*[!~]', '.conf'],
    ['[a-z]*.conf', '.conf'],
    ['[0-9]*.conf', '-'],
    ['x.conf', '-'],
    ['*/x.conf', '-'],
    ['a.*', '-'],
  ];
  for (const [pattern, end] of ends)
    it(`returns ${end} for a file that ${pattern} should include`, () => {
      const lines = digest({ 'nginx.conf': `http { include sites-enabled/${pattern}; }` }, 'includes');
      assert.deepEqual(lines, [`includes 000002 /etc/nginx/sites-enabled/${pattern} ${end}`]);
    });

  it('reports the listeners on 80 and 443 in the order in which nginx reads them', () => {
    const files = {
      'nginx.conf': `http { include conf.d/*.conf; include sites/*; server { server_name none; } }
stream { server { listen 443; proxy_pass x; } server { listen 53 udp; } }`,
      'conf.d/a.conf':
        'server {\n listen 203.0.113.20:443 ssl proxy_protocol;\n listen [::]:443 ssl;\n listen 8080; }',
      'sites/b':
        'server { listen 127.0.0.1; listen unix:/run/x; listen 443 quic reuseport; listen *:443 ssl; }',
    };
    assert.deepEqual(digest(files, 'listens', 'stream'), [
      'listens 80 * 000006 /etc/nginx/nginx.conf',
      'stream 443 * /etc/nginx/nginx.conf',
      'listens 443 203.0.113.20 000002!/etc/nginx/conf.d/a.conf!000002 /etc/nginx/conf.d/a.conf ssl proxy_protocol',
      'listens 443 [::] 000002!/etc/nginx/conf.d/a.conf!000003 /etc/nginx/conf.d/a.conf ssl',
      'listens 80 127.0.0.1 000003!/etc/nginx/sites/b!000002 /etc/nginx/sites/b',
      'listens 443 * 000003!/etc/nginx/sites/b!000005 /etc/nginx/sites/b ssl',
    ]);
  });

  it('is not misled by quotes, comments, braces in words, and Lua', () => {
    const conf = `http {
  log_format json escape=json '{ "a": "$remote_addr",
    "b": "}" }'; # }}
  set_by_lua_block $x { return "}" -- don't }
  }
  server { rewrite ^/a#b} /c; if ($uri ~ "^/\\d{2}") { set $y "\${x}}"; } listen 80; add_header X \${y};
    error_page 404 \\{; }
  include conf.d/*.conf;
}`;
    assert.deepEqual(digest({ 'nginx.conf': conf }, 'includes', 'listens'), [
      'listens 80 * 000008 /etc/nginx/nginx.conf',
      'includes 000011 /etc/nginx/conf.d/*.conf .conf',
    ]);
  });

  it('finds the pid file and log below the prefix, which -p overrides', () => {
    const built =
      'nginx version: openresty/1.25.3.1\nconfigure arguments: --prefix=/opt/o/nginx --pid-path=run/n.pid\n';
    const conf = built + dump({ '/opt/o/nginx/conf/nginx.conf': 'error_log logs/my.log info;\nhttp { }' });
    assert.equal(
      underEach(['digest'], 'digest', conf),
      'version 1.25.3.1\npid /opt/o/nginx/run/n.pid\nerror_log /opt/o/nginx/logs/error.log\nconf /opt/o/nginx/conf/nginx.conf\nerror_log /opt/o/nginx/logs/my.log\n',
    );
    assert.match(underEach(['digest'], 'digest /srv/', conf), /^pid \/srv\/run\/n.pid$/m);
  });

  it('finds the folder of a configuration that nginx rejects', () =>
    assert.deepEqual(
      underEach(['digest'], 'digest', 'nginx: configuration file /opt/n/nginx.conf test failed\n').split(
        '\n',
      )[1],
      'conf /opt/n/nginx.conf',
    ));
});

describe('find_folders', () => {
  const layout = (...includes: readonly string[]): string => {
    const lines = digest(
      { 'nginx.conf': `http {\n${includes.map((line) => `include ${line};\n`).join('')}}` },
      'includes',
    );
    const text = lines.map((line) => `${line.replace('includes ', '')}\n`).join('');
    const command = `NGINX_DIR=/etc/nginx VERB=remove INCLUDES=${quote(text)} CONF='' ELSEWHERE=''
find_folders; echo "$LINK_DIR $LINK_END $MAP_DIR"; check_layout; link_of site.conf; echo "$VHOST_DIR $LINK"`;
    return run(['report', 'layout'], command).replaceAll('/etc/nginx/', '');
  };
  const cases: readonly [what: string, includes: readonly string[], folders: string][] = [
    [
      'Debian',
      ['conf.d/*.conf', 'sites-enabled/*'],
      'sites-enabled .conf conf.d\nsites-available sites-enabled/site.conf\n',
    ],
    ['RHEL', ['conf.d/*.conf'], '  conf.d\nconf.d conf.d/site.conf\n'],
    ['Alpine', ['http.d/*.conf'], '  http.d\nhttp.d http.d/site.conf\n'],
    [
      '*.vhost',
      ['sites-enabled/*.vhost', 'conf.d/*'],
      'sites-enabled .vhost conf.d\nsites-available sites-enabled/site.vhost\n',
    ],
    [
      'both',
      ['sites-enabled/*.vhost', 'sites-enabled/*.conf', 'conf.d/*'],
      'sites-enabled .conf conf.d\nsites-available sites-enabled/site.conf\n',
    ],
    ['a custom folder', ['mime.types', 'vhosts/*.conf'], '  vhosts\nvhosts vhosts/site.conf\n'],
    [
      'conf.d before others',
      ['vhosts/*.conf', 'http.d/*.conf', 'conf.d/*.conf'],
      '  conf.d\nconf.d conf.d/site.conf\n',
    ],
    [
      'maps in a custom folder',
      ['maps/*.conf', 'sites-enabled/*'],
      'sites-enabled .conf maps\nsites-available sites-enabled/site.conf\n',
    ],
    ['no maps', ['sites-enabled/*'], 'sites-enabled .conf \nsites-available sites-enabled/site.conf\n'],
    [
      'a folder that is not root’s, or does not exist',
      ['/nonexistent/*.conf'],
      '  \nconf.d conf.d/site.conf\n',
    ],
  ];
  for (const [what, includes, folders] of cases)
    it(`finds where files go: ${what}`, () => assert.equal(layout(...includes), folders));
});

/** The decisions of `listens_of` for these lines. */
function plan(lines: readonly string[], { ipv6 = '', current = '' } = {}): readonly string[] {
  const text = lines.map((line) => `${line}\n`).join('');
  const tables = `ip() { :; }\nawk() { command awk "$@"; }\nipv6='${ipv6}' LISTENS=${quote(text)}`;
  const program = `listens_of /e/sites-enabled/us.conf '5!/e/sites-enabled/us.conf!' ${current}`;
  const output = run(['report', 'listen'], `${tables}\n${program}`);

  return output.split('\n').slice(0, -1);
}

describe('listens_of', () => {
  const US = '/e/sites-enabled/us.conf';
  const other = (port: number, address: string, options = '', order = '9') =>
    `listens ${port} ${address} ${order} /e/other ${options}`.trimEnd();

  it('listens on the wildcard if no other vhost listens, as the default server', () => {
    assert.deepEqual(plan([], { ipv6: 'yes' }), [
      'listen 80 * ',
      'listen 80 [::] ',
      'ask 80 127.0.0.1',
      'default 80 *',
      'default 80 [::]',
      'listen 443 * ',
      'listen 443 [::] ',
      'ask 443 127.0.0.1',
      'default 443 *',
      'default 443 [::]',
    ]);
  });

  it('shares the wildcard of others, with their options', () => {
    const lines = plan([other(443, '*', 'ssl'), other(80, '*', 'default_server proxy_protocol')]);
    assert.deepEqual(lines, [
      'listen 80 * proxy_protocol,-http2',
      'ask 80 127.0.0.1 proxy_protocol',
      'listen 443 * -http2',
      'ask 443 127.0.0.1',
      'default 443 *',
    ]);
  });

  it('is not the default server if another vhost is, by its option or because nginx reads it first', () => {
    assert.ok(!plan([other(443, '*', 'ssl default_server')]).includes('default 443 *'));
    assert.ok(!plan([other(443, '*', 'ssl', '4')]).includes('default 443 *'));
    assert.ok(plan([other(443, '*', 'ssl', '6')]).includes('default 443 *'));
    assert.ok(
      plan([other(443, '*', 'ssl http2', '5!/e/sites-enabled/zz.conf!000002')]).includes('default 443 *'),
    );
    assert.ok(
      !plan([other(443, '*', 'ssl http2', '5!/e/sites-enabled/aa.conf!000002')]).includes('default 443 *'),
    );
  });

  it('adds no IPv4 listener if an IPv6 socket serves both', () =>
    assert.deepEqual(
      plan([other(80, '[::]', 'ipv6only=off'), other(443, '[::]', 'ssl ipv6only=off')], {
        ipv6: 'yes',
      }).filter((l) => l.startsWith('listen')),
      ['listen 80 [::] -http2', 'listen 443 [::] -http2'],
    ));

  it('reports a stream block that uses the port, and no other', () => {
    assert.deepEqual(plan(['stream 443 * /e/nginx.conf']).at(-1), 'stream 443 * /e/nginx.conf');
    assert.deepEqual(
      plan(['stream 443 [::] /e/nginx.conf']).filter((l) => l.startsWith('stream')),
      [],
    );
  });

  it('checks the current vhost at an address that no other vhost has', () => {
    const lines = [`listens 80 * 5 ${US}`, other(80, '127.0.0.1'), `listens 443 203.0.113.20 5 ${US} ssl`];
    assert.deepEqual(
      plan(lines, { current: 'current' }).filter((l) => l.startsWith('ask')),
      ['ask 80 127.0.0.2', 'ask 443 203.0.113.20'],
    );
  });
});

describe('with_listens', () => {
  const template =
    'server {\n    listen 443 ssl http2 default_server;\n    listen [::]:443 ssl http2 default_server;\n    listen 8443 ssl;\n}\n';
  const written = (text: string, modern = '') =>
    underEach(['listen'], `PLAN=${quote(text)} modern='${modern}'; with_listens`, template);

  it('writes each address of the plan with the options that its socket has', () =>
    assert.equal(
      written('80|*| 443|*|-http2 443|203.0.113.20|proxy_protocol'),
      'server {\n    listen 443 ssl default_server;\n    listen 203.0.113.20:443 ssl http2 default_server proxy_protocol;\n    listen 8443 ssl;\n}\n',
    ));

  it('writes http2 as a directive once, for nginx versions that require it', () =>
    assert.equal(
      written('443|*| 443|[::]|', 'yes'),
      'server {\n    listen 443 ssl default_server;\n    http2 on;\n    listen [::]:443 ssl default_server;\n    listen 8443 ssl;\n}\n',
    ));
});
