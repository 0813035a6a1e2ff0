/** Diffs of maps and client files never show what somebody wrote there by hand. */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { tokenFingerprint } from '../../../lib/model/bearer.ts';
import * as lines from '../../../lib/nginx/client-map.ts';
import { ROOT } from '../../../lib/util/project.ts';
import { Secret } from '../../../lib/util/secret.ts';
import { quote } from '../../../lib/util/shell.ts';
import { clientFileText, oldClientText } from '../../lab/actors/client-files.ts';
import { directory, run } from './run-parts.ts';

const BY_HAND = 'Zq7+xW/kP2~vT9mL4sR8bY3c';
const TOKENS = ['$host.a+b*(c)[d]{e}^f|g?;#~%&=<>`@!,:_-/', '0f1e2d3c4b5a69788796a5b4c3d2e1f0'];
const MAP = readFileSync(new URL('http-maps/ia-enso-ollama-bearer.map.conf.example', ROOT), 'utf8');
const DEPLOYED = 'map $earlier $release { default 1; }';

/** Writes a release of this kind with this map. */
function release(number: number, kind: string, text: string): string {
  const folder = join(directory, 'releases', `00000${number}.R`);
  mkdirSync(join(folder, 'files'), { recursive: true });
  writeFileSync(join(folder, 'meta'), `kind ${kind}\n`);
  writeFileSync(join(folder, 'state'), 'map /c/x.conf 600 0\n');
  writeFileSync(join(folder, 'files', ':c:x.conf'), text);
  return folder;
}

const releases = [
  release(1, 'apply', `${DEPLOYED}\n`),
  release(2, 'found', `map $by $hand { "${BY_HAND}" 1; }\n`),
  release(3, 'rollback', `map $by $hand { "${BY_HAND}" 1; }\n`),
];
const head = `HEADER_END=${quote(lines.HEADER_END)} RELEASES=${quote(releases.join(' '))} NL='
'
content_1() { printf %s ${quote(MAP)}; }
WANTED='map|/c/x.conf|600|for_this content_1|changed
'
for_this() { "$1"; }
`;

const shown = (role: string, name: string, text: string): string =>
  run(
    ['report', 'files', 'release', 'client-lines', 'clients', 'shown'],
    `${head}shown ${role} ${name}`,
    text,
  );

const grant = { name: 'bob', scope: 'inference', limit: 60, concurrent: 4, end: 1_900_000_000 } as const;
const OURS = [
  clientFileText({ ...grant, tokens: TOKENS }).text,
  clientFileText(
    { ...grant, tokens: TOKENS, suspended: true },
    new Set(TOKENS.map((each) => each.slice(0, 24))),
  ).text,
  oldClientText({ ...grant, tokens: TOKENS }),
].join('');

/** The text with BY_HAND inserted into one of its lines, `count` times, one line each. */
function written(text: string, count: number): string {
  const all = text.split('\n');
  return Array.from({ length: count }, () => {
    const line = all[randomInt(all.length)] ?? '';
    const [from, to] = [randomInt(line.length + 1), randomInt(line.length + 1)];
    const cut = randomInt(3) === 0 ? Math.max(from, to) : from;
    return `${line.slice(0, from)}${BY_HAND}${line.slice(cut)}\n`;
  }).join('');
}

const FORMS = [
  `"~^\\w+ ${BY_HAND}\\z" inference:bob.1:60:-:-:-;`,
  `# the token of bob: ${BY_HAND}`,
  BY_HAND,
  `'${BY_HAND}' 1;`,
  `"=${BY_HAND}" "${BY_HAND} inference:bob.${BY_HAND}:60:-:-:-";`,
  `${lines.CREATED_MARK} ${BY_HAND}`,
  `${lines.CREATED_MARK} 1111222233334444`,
  `${lines.HEADER_START}${BY_HAND}${lines.HEADER_END}`,
  `"~^:${BY_HAND.replace('+', '\\+')}\\z" inference:bob.1:60:-:-:-; # ${BY_HAND}`,
];

/** Asserts that no useful part of the token is visible. */
function assertHidden(text: string): void {
  for (let at = 0; at + 8 <= BY_HAND.length; at += 1)
    assert.ok(!text.includes(BY_HAND.slice(at, at + 8)), text);
  assert.ok(!text.includes('1111222233334444'), text);
}

describe('a diff', () => {
  it('shows the lines of a client’s file that gatepost wrote, with fingerprints', () => {
    const prints = shown('client', 'bob.map', OURS);
    assert.doesNotMatch(prints, /hidden/);
    assert.equal(prints.split('\n').length, OURS.split('\n').length);
    for (const token of TOKENS)
      assert.equal(prints.split(`<sha256:${tokenFingerprint(new Secret(token))}>`).length - 1, 3, prints);
    for (const token of TOKENS) assert.ok(!prints.includes(token.slice(0, 8)), prints);
  });

  it('shows the lines of a map that are wanted, or that a deploy wrote, and no others', () => {
    const by = `map $by $hand { "${BY_HAND}" 1; }\n`;
    const text = shown('map', 'x.conf', `${MAP}${DEPLOYED}\n${by}`);
    const hidden = `[unrecognized line hidden: ${by.length - 1} characters]`;
    assert.deepEqual(text.split('\n').slice(-3), [DEPLOYED, hidden, '']);
    assert.equal(text.match(/hidden/g)?.length, 1);
  });

  it('hides a token in every form that somebody may write', () => {
    const text = `${FORMS.join('\n')}\n`;
    for (const role of ['client', 'map', 'shared', 'gone', 'foreign'])
      assertHidden(shown(role, 'bob.map', text));
    assert.equal(shown('client', 'bob.map', text).match(/line hidden/g)?.length, FORMS.length);
  });

  it('hides a token at any place of any line', () => {
    assertHidden(shown('client', 'bob.map', written(OURS, 3000)));
    assertHidden(shown('map', 'x.conf', written(MAP, 3000)));
  });

  it('hides the lines of other clients', () => {
    assert.equal(shown('client', 'eve.map', OURS).match(/line hidden/g)?.length, 9);
  });
});

describe('what nginx quotes', () => {
  const redact = (text: string) => run(['report'], 'redact', `${text}\n`);

  for (const file of ['/etc/nginx/ia-enso-bearers/bob.map:3', '/etc/nginx/conf.d/ia-enso-http-maps.conf:300'])
    it(`from ${file} is not shown, except for nginx’s own words`, () => {
      assertHidden(redact(`nginx: [emerg] conflicting parameter "${BY_HAND}" in ${file}`));
      assertHidden(redact(`nginx: [emerg] unknown directive "x"${BY_HAND}" in ${file}`));
      for (const message of ['"map_hash_bucket_size" directive is duplicate', 'unexpected "}"'])
        assert.equal(
          redact(`nginx: [emerg] ${message} in ${file}`),
          `nginx: [emerg] ${message} in ${file}\n`,
        );
    });
});
