/** Pure functions of the shell program, tested separately, in dash, busybox and bash, if installed. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, test } from 'node:test';
import { tokenFingerprint } from '../../../lib/model/bearer.ts';
import { Secret } from '../../../lib/util/secret.ts';
import { quote } from '../../../lib/util/shell.ts';
import { oldClientText } from '../../lab/actors/client-files.ts';
import * as lines from '../../lab/actors/client-lines.ts';
import { directory, run } from './run-parts.ts';

describe('digest', () => {
  const digest = (text: string) => run(['digest'], 'digest', text).split('\n').slice(0, -1);

  it('reads the version and paths of nginx', () => {
    assert.deepEqual(
      digest(
        'nginx version: nginx/1.22.1 (Debian)\nconfigure arguments: --pid-path=/run/nginx.pid --error-log-path=/var/log/e.log\n',
      ),
      ['version 1.22.1', 'pid /run/nginx.pid', 'error_log /var/log/e.log'],
    );
  });

  it('reads its includes, and the files that define and use $connection_upgrade, but not from comments', () => {
    const text = `# configuration file /etc/nginx/nginx.conf:
pid /run/other.pid;
http {
  include /etc/nginx/conf.d/*.conf;
  # include sites-enabled/*;
}
# configuration file /etc/nginx/conf.d/a.conf:
map $http_upgrade $connection_upgrade {
# configuration file /etc/nginx/conf.d/b.conf:
proxy_set_header Connection $connection_upgrade;
# gatepost accepted
`;
    assert.deepEqual(digest(text), [
      'conf /etc/nginx/nginx.conf',
      'pid /run/other.pid',
      'includes 000003 /etc/nginx/conf.d/*.conf .conf',
      'defines /etc/nginx/conf.d/a.conf',
      'uses /etc/nginx/conf.d/b.conf',
      'accepted',
    ]);
  });

  it('keeps the messages of nginx', () => {
    assert.deepEqual(digest('nginx: [emerg] unknown directive "x" in /etc/nginx/nginx.conf:1\n'), [
      'says nginx: [emerg] unknown directive "x" in /etc/nginx/nginx.conf:1',
    ]);
  });
});

test('reads which files define variables of the site, not which ones use them', () => {
  const text = `# configuration file /etc/nginx/nginx.conf:
http {
  include /etc/nginx/conf.d/*.conf;
}
# configuration file /etc/nginx/conf.d/theirs.conf:
  map $http_authorization $llm_grant{ default ""; }
geo $remote_addr $llm_client
{
  default 0;
}
# map $uri $llm_scope {
# configuration file /etc/nginx/conf.d/uses.conf:
log_format x '$remote_addr $llm_client'
  '$llm_grant';
map $llm_client $other { default $llm_grant; }
# configuration file /etc/nginx/conf.d/geo.conf:
geo $llm_client {
  default 0;
}
# gatepost accepted
`;
  const digested = run(['digest'], 'digest / "llm_grant llm_client llm_scope"', text);
  assert.deepEqual(digested.match(/^claims.*/gm), [
    'claims /etc/nginx/conf.d/theirs.conf llm_grant',
    'claims /etc/nginx/conf.d/geo.conf llm_client',
  ]);
});

test('refuses a variable of the site that another file defines', () => {
  const check = (claims: string) =>
    run(
      ['report', 'nginx', 'files'],
      `refuse() { echo "$*"; exit; }
is_released() { [ "$1" = /c/released ]; }
WANTED='map|/c/own|600|f|same
' CLAIMS=${quote(claims)}
check_variables`,
    );
  assert.equal(check(''), '');
  assert.equal(check('/c/own llm_grant\n/c/released llm_grant\n'), '');
  assert.equal(
    check('/c/own llm_grant\n/c/theirs llm_scope\n'),
    'variable /c/theirs defines $llm_scope, which this site defines as well\n',
  );
});

describe('at_least', () => {
  const versions: readonly [string, string, boolean][] = [
    ['1.25.1', '1 25 1', true],
    ['1.25.0', '1 25 1', false],
    ['1.9.15', '1 25 1', false],
    ['2.0', '1 25 1', true],
    ['', '1 0 0', false],
    ['1.27.3.1', '1 27 3', true],
  ];
  for (const [version, minimum, expected] of versions)
    it(`returns ${expected} for ${version || 'no version'} and ${minimum}`, () => {
      const command = `VERSION='${version}'; if at_least ${minimum}; then echo true; else echo false; fi`;
      assert.equal(run(['report', 'files'], command), `${expected}\n`);
    });
});

describe('redact', () => {
  const TOKEN = new Secret('a-token/of.sixteen+1');
  const redact = (text: string) => run(['report'], 'redact', text);
  const print = `<sha256:${tokenFingerprint(TOKEN)}>`;

  it('replaces a token in a client’s file with the same fingerprint as TypeScript', () => {
    const grant = { client: 'x', scope: 'full' } as const;
    const text = lines.grantText(TOKEN, grant);
    assert.equal(redact(lines.hashedLine(TOKEN, grant, 'a_dollar')), `"=<key>" "${print} ${text}";\n`);
    assert.equal(redact(lines.exactLine(TOKEN, grant)), `"~^:${print}" ${text};\n`);
    const old = oldClientText({ name: 'x', scope: 'full', tokens: [TOKEN.reveal()] });
    assert.equal(redact(old).split('\n')[3], `"~^(?i:bearer) +${print}" full:x;`);
    const dollars = new Secret('$a$b$c$d$e$f$g$h$i');
    const line = lines.hashedLine(dollars, grant, 'a_dollar');
    assert.equal(
      redact(line),
      `"=<key>" "<sha256:${tokenFingerprint(dollars)}> ${lines.grantText(dollars, grant)}";\n`,
    );
  });

  it('leaves no part of a token in a truncated line or in a message of nginx', () => {
    const line = lines.hashedLine(TOKEN, { client: 'x', scope: 'full' }, 'a_dollar');
    for (let size = 12; size < line.length; size++)
      assert.doesNotMatch(redact(`# damaged: ${line.slice(0, size)}\n`), /a-token|sixteen/);
    const words = redact('nginx: [emerg] conflicting parameter "=a-token/of.sixteen+1" in /x.map:5\n');
    assert.equal(words, 'nginx: [emerg] conflicting parameter "=<key>" in /x.map:5\n');
  });

  it('redacts a token in a comment, and keeps other words', () => {
    assert.equal(
      redact(`# Bearer ${TOKEN.reveal()}; the bearer gate\n`),
      `# Bearer ${print}; the bearer gate\n`,
    );
  });

  it('keeps a text without a token unchanged', () =>
    assert.equal(redact('a\n\n\tb \\ c\n'), 'a\n\n\tb \\ c\n'));
});

describe('name_release', () => {
  const name = (last: string) =>
    run(['report', 'release'], `LAST='${last}'; name_release R1; printf %s "$NEXT"`);
  it('increments the number of the last release, leading zeros included', () => {
    assert.equal(name(''), '/nonexistent/site/releases/000001.R1');
    assert.equal(name('/nonexistent/site/releases/000009.R0'), '/nonexistent/site/releases/000010.R1');
    assert.equal(name('/nonexistent/site/releases/001234.R0'), '/nonexistent/site/releases/001235.R1');
    assert.equal(name('/nonexistent/site/releases/999998.R0'), '/nonexistent/site/releases/999999.R1');
  });
});

describe('repaired', () => {
  const folder = join(directory, 'clients');
  const repaired = (name: string, files: Readonly<Record<string, string>>) => {
    mkdirSync(folder, { recursive: true });
    for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
    return run(['report', 'client-lines', 'clients'], `repaired "$CLIENTS/${name}"`);
  };
  const line = (key: string, client: string) => `"=${key}" "${key} full:${client}.1:60:-:-:-";\n`;

  it('comments out invalid lines', () => {
    const text = `# Client\n"~^a" full:x;\n\nnonsense\n${line('b', 'x')}"~^c" full:x\n`;
    assert.equal(
      repaired('x.map', { 'x.map': text }),
      `# Client\n"~^a" full:x;\n\n# damaged: nonsense\n${line('b', 'x')}# damaged: "~^c" full:x\n`,
    );
  });

  it('comments out lines of another client, and keys that an earlier line has', () => {
    const files = {
      'a.map': line('b', 'a') + line('c', 'x'),
      'x.map': line('b', 'x') + line('c', 'x') + line('c', 'x'),
    };
    assert.equal(repaired('a.map', files), `${line('b', 'a')}# damaged: ${line('c', 'x')}`);
    assert.equal(
      repaired('x.map', files),
      `# damaged: ${line('b', 'x')}${line('c', 'x')}# damaged: ${line('c', 'x')}`,
    );
  });
});

describe('clock', () => {
  it('returns hundredths of a second since boot', () => {
    const [centiseconds = ''] = run(
      ['report'],
      `clock; echo "\${#CLOCK}"; [ "$CLOCK" -gt 0 ] && echo ok`,
    ).split('\n');
    assert.ok(Number(centiseconds) >= 3);
  });
});

describe('listeners', () => {
  it('reverses the byte order of the kernel’s addresses', () => {
    const table =
      '  sl  local_address rem_address   st\n   0: 0100007F:0050 00000000:0000 0A 0:0 0:0 0 0 0 4711 1\n   1: 0100007F:0051 00000000:0000 01 0:0 0:0 0 0 0 4712 1\n';
    // The table is /proc/net/TABLE.
    const path = join(directory, 'tcp');
    writeFileSync(path, table);
    assert.equal(run(['report', 'ports'], `listeners ../../..${path} 80 0.0.0.0`), '4711 127.0.0.1:80\n');
    assert.equal(run(['report', 'ports'], `listeners ../../..${path} 81 0.0.0.0`), '');
  });
});

describe('names_in', () => {
  it('lists the names of a certificate', () => {
    const [file, key] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
    const made = spawnSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-subj',
        '/CN=x',
        '-days',
        '1',
      ].concat(['-addext', 'subjectAltName=DNS:A.example.org,IP:192.0.2.1', '-keyout', key, '-out', file]),
    );
    assert.equal(made.status, 0, made.stderr.toString());
    assert.equal(
      run(['report', 'lineage'], `names_in ${quote(file)}`),
      'dns:a.example.org\nip address:192.0.2.1\n',
    );
  });
});

describe('find_too_old', () => {
  const directoryOf = (version: string) => {
    const file = join(directory, 'certbot');
    writeFileSync(file, `#!/bin/sh\necho ${quote(version)}\n`, { mode: 0o755 });
    return directory;
  };
  const verdict = (name: string, version: string) =>
    run(
      ['lineage', 'certbot'],
      `PATH=${directoryOf(version)}:$PATH SERVER_NAMES='${name}'; find_too_old && echo old || echo fine`,
    ).trim();

  for (const [version, is] of [
    ['certbot 2.1.0', 'old'],
    ['certbot 5.3.1', 'old'],
    ['certbot 5.4.0', 'fine'],
    ['certbot 5.10.0', 'fine'],
    ['certbot 10.0', 'fine'],
    ['Traceback (most recent call last):', 'old'],
  ])
    it(`${version}: ${is} for an address`, () => assert.equal(verdict('203.0.113.5', version ?? ''), is));

  it('does not run certbot for a name, or for a site without one', () => {
    for (const name of ['a.example.org', '']) assert.equal(verdict(name, 'certbot 2.1.0'), 'fine');
  });
});
