/** Changes of client files by the shell program, with the awk of mawk, busybox and GNU, if installed. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import { tokenFingerprint } from '../../../lib/model/bearer.ts';
import * as lines from '../../../lib/nginx/client-map.ts';
import { ROOT } from '../../../lib/util/project.ts';
import { Secret } from '../../../lib/util/secret.ts';
import { quote } from '../../../lib/util/shell.ts';
import { type ClientFile, clientFileText, DOLLAR, oldClientText } from '../../lab/actors/client-files.ts';
import { exactLine, hashedLine, liveName } from '../../lab/actors/client-lines.ts';

const AWKS = [['mawk'], ['busybox', 'awk'], ['gawk']].filter(
  ([name = '', ...args]) => spawnSync(name, [...args, 'BEGIN {}']).error === undefined,
);
const directory = mkdtempSync(join(tmpdir(), 'gatepost-clients-'));
const [clients, live] = [join(directory, 'clients'), join(directory, 'live')];
after(() => rmSync(directory, { recursive: true }));

const NOW = 1_800_000_000;
const values = {
  RUN: 'R1',
  SITE: 'site',
  STORE: '/nonexistent',
  NOW: '2027-01-15T08:00:00Z',
  CLIENTS: clients,
  LIVE_FILES: live,
  CLIENT: '',
  DOLLAR,
  KEY_SIZE: String(lines.KEY_SIZE),
  LINE_SIZE: String(lines.LINE_SIZE),
  FINGERPRINT_DIGITS: '12',
  OLD_KEY_START: lines.OLD_KEY_START,
  HEADER_START: lines.HEADER_START,
  HEADER_END: lines.HEADER_END,
  CREATED_MARK: lines.CREATED_MARK,
  ROTATED_MARK: lines.ROTATED_MARK,
  JOURNAL: join(directory, 'journal'),
  NL: '\n',
  DRY: '',
  WANTED: '',
};
const part = (name: string): string => readFileSync(new URL(`lib/program/sh/${name}.sh`, ROOT), 'utf8');
const PARTS = ['records', 'report', 'client-lines', 'clients', 'client-file', 'live', 'convert']
  .map(part)
  .join('\n');

/** A command's output after sourcing the parts, which must be the same with every awk. */
function run(command: string): string {
  const outputs = AWKS.map((words) => {
    const head = Object.entries(values).map(([name, value]) => `${name}=${quote(value)}\n`);
    const text = `set -u\nLC_ALL=C\n${head.join('')}${PARTS}\nEPOCH=${NOW}\nawk() { ${words.join(' ')} "$@"; }\n${command}\n`;
    const { stdout, stderr } = spawnSync('sh', ['-s'], { input: text, encoding: 'utf8' });
    assert.equal(stderr, '', words.join(' '));
    // Records may end with the time.
    return stdout.replace(/\t\d{4,}$/gm, '');
  });
  assert.equal(new Set(outputs).size, 1, outputs.join('\n---\n'));
  return outputs[0] ?? '';
}

const write = (name: string, text: string) => writeFileSync(join(clients, `${name}.map`), text);
const file = (client: ClientFile, taken?: Set<string>) =>
  write(client.name, clientFileText(client, taken).text);

interface Planned {
  readonly text: readonly string[];
  readonly live: readonly string[];
  readonly ends: readonly string[];
  readonly output: string;
}

/** plan_client with a new token. */
function plan(action: string, name: string, token = '', more = ''): Planned {
  const made = token ? `made() { printf %s ${quote(token)}; }` : '';
  const output = run(
    `${made}\nplan_client ${action} ${name} ${token ? 'made' : ':'} ${more}\nprintf '%s' "$CLIENT_TEXT" | sed 's/^/text /'; for x in $LIVE_NEW; do echo "live $x"; done | sort; for x in $ENDING; do echo "ends $x"; done | sort`,
  );
  const of = (word: string) =>
    output.split('\n').flatMap((line) => (line.startsWith(`${word} `) ? [line.slice(word.length + 1)] : []));
  return {
    text: of('text').filter((line) => !line.startsWith('#')),
    live: of('live'),
    ends: of('ends'),
    output,
  };
}

const TOKEN = '$host.a+b*(c)[d]{e}^f|g?;#~%&=<>`@!,:_-/';
const OLD = '0f1e2d3c4b5a69788796a5b4c3d2e1f0';
const bob = { name: 'bob', scope: 'inference', limit: 60 } as const;
const grant = { client: 'bob', scope: 'inference', limit: 60 } as const;
const hashed = (token: string, more = {}) =>
  hashedLine(new Secret(token), { ...grant, ...more }, DOLLAR).trimEnd();
const exact = (token: string, more = {}) => exactLine(new Secret(token), { ...grant, ...more }).trimEnd();
const name = (token: string, more = {}) => liveName(new Secret(token), { ...grant, ...more });

describe('a change of a client', () => {
  beforeEach(() => {
    rmSync(clients, { recursive: true, force: true });
    mkdirSync(clients, { recursive: true });
    mkdirSync(live, { recursive: true });
    file({ name: 'eve', scope: 'full', tokens: ['eve-0123456789abcdef-0123456789'] });
    file({ ...bob, tokens: [OLD] });
  });

  it('adds a client with limits and an expiry', () => {
    const more = 'new_scope=inference new_limit=60 new_at_once=2 new_end=1900000000';
    const added = plan('add', 'ann', TOKEN, more);
    const own = { client: 'ann', concurrent: 2, end: 1_900_000_000 };
    assert.deepEqual(added.text, [hashed(TOKEN, own)]);
    assert.deepEqual([added.live, added.ends], [[name(TOKEN, own)], []]);
  });

  it('rotation makes the new token live and ends the old one', () => {
    const { text, live: made, ends, output } = plan('rotate', 'bob', TOKEN, 'keep=');
    assert.deepEqual([text, made, ends], [[hashed(TOKEN)], [name(TOKEN)], [name(OLD)]]);
    assert.match(output, new RegExp(`fact\\tprevious\\t${tokenFingerprint(new Secret(OLD))}`));
  });

  it('keeps the previous token unchanged, or until its expiry', () => {
    assert.deepEqual(plan('rotate', 'bob', TOKEN, 'keep=yes').text, [hashed(TOKEN), hashed(OLD)]);
    for (const keep of [3600, 500_000_000]) {
      const kept = plan('rotate', 'bob', TOKEN, `keep=${keep}`);
      const end = { end: NOW + keep };
      assert.deepEqual(kept.text, [hashed(TOKEN), hashed(OLD, end)]);
      assert.deepEqual([kept.live, kept.ends], [[name(TOKEN), name(OLD, end)].sort(), [name(OLD)]]);
    }
  });

  it('changes the grant of a client, and ends tokens with another grant', () => {
    const set = plan('set', 'bob', '', 'new_scope=full new_limit=- new_at_once=4 new_end=');
    const own = { scope: 'full', limit: undefined, concurrent: 4 };
    assert.deepEqual(set.text, [hashed(OLD, own)]);
    assert.deepEqual([set.live, set.ends], [[name(OLD, own)], [name(OLD)]]);
    assert.deepEqual(plan('set', 'bob', '', 'new_limit=60').ends, []);
  });

  it('a kept token ends with the client, or earlier', () => {
    const END = 1_900_000_000;
    file({ ...bob, tokens: [TOKEN, OLD] });
    const set = plan('set', 'bob', '', `new_end=${END}`);
    assert.deepEqual(set.text, [hashed(TOKEN, { end: END }), hashed(OLD, { end: END })]);
    write('bob', `${hashed(TOKEN)}\n${hashed(OLD, { end: NOW + 60 })}\n`);
    const earlier = plan('set', 'bob', '', `new_end=${END}`);
    assert.deepEqual(earlier.text, [hashed(TOKEN, { end: END }), hashed(OLD, { end: NOW + 60 })]);
    assert.deepEqual(plan('set', 'bob', '', 'new_end=-').text, [
      hashed(TOKEN),
      hashed(OLD, { end: NOW + 60 }),
    ]);
  });

  it('writes a token as a regex if its first characters are taken (ignoring case) or its line would be too long', () => {
    const twin = 'EVE-0123456789ABCDEF-0123456789';
    assert.deepEqual(plan('rotate', 'bob', twin, 'keep=').text, [exact(twin)]);
    const dollars = '$a'.repeat(200);
    assert.deepEqual(plan('rotate', 'bob', dollars, 'keep=').text, [exact(dollars)]);
  });

  it('is refused for a token of another client, for the current token, and for an ended client', () => {
    assert.match(
      plan('rotate', 'bob', 'eve-0123456789abcdef-0123456789', 'keep=').output,
      /error\tsame-token/,
    );
    assert.match(plan('rotate', 'bob', OLD, 'keep=').output, /error\tsame-token/);
    file({ ...bob, tokens: [OLD], end: NOW });
    assert.match(plan('rotate', 'bob', TOKEN, 'keep=').output, /error\tclient-ended/);
    file({ ...bob, tokens: [OLD], suspended: true });
    assert.match(plan('rotate', 'bob', TOKEN, 'keep=').output, /error\tclient-ended/);
  });

  it('a deploy makes its token the only one, and keeps limits, expiry and suspension', () => {
    const PRESENT = 'present-0123456789abcdef';
    const own = { client: 'default', scope: 'full', limit: undefined };
    assert.deepEqual(plan('deploy', 'default', TOKEN).text, [hashed(TOKEN, own)]);
    file({ name: 'default', scope: 'full', limit: 10, suspended: true, tokens: [PRESENT, TOKEN] });
    const same = plan('deploy', 'default', PRESENT);
    assert.deepEqual(same.text, [hashed(PRESENT, { ...own, limit: 10, suspended: true })]);
    assert.deepEqual([same.live, same.ends.length], [[], 2]);
  });

  it('stays suspended or revoked if that is still pending, whatever changes next', () => {
    const pending = (verb: string) => {
      mkdirSync(join(directory, 'store/site/pending'), { recursive: true });
      writeFileSync(join(directory, 'store/site/pending/bob'), `${verb}\n`);
    };
    const planned = (action: string, token: string, more: string) => {
      values.STORE = join(directory, 'store');
      const { live: made, text, output } = plan(action, 'bob', token, more);
      values.STORE = '/nonexistent';
      return { made, text, output };
    };
    pending('suspend_client');
    const set = planned('set', '', 'new_limit=10');
    assert.deepEqual([set.made, set.text], [[], [hashed(OLD, { limit: 10, suspended: true })]]);
    assert.match(planned('rotate', TOKEN, 'keep=').output, /error\tclient-ended/);
    for (const token of [OLD, TOKEN]) {
      const deploy = planned('deploy', token, '');
      assert.deepEqual([deploy.made, deploy.text], [[], [hashed(token, { suspended: true })]]);
    }
    pending('revoke_client');
    const again = planned('deploy', TOKEN, '');
    const own = { scope: 'full', limit: undefined };
    assert.deepEqual([again.made, again.text], [[name(TOKEN, own)], [hashed(TOKEN, own)]]);
  });

  it('suspends and resumes by the last word of a line, once, whatever the token', () => {
    const tokens = [
      OLD,
      TOKEN,
      'odd:suspended;:-;0123456789',
      'ODD:suspended;:-;0123456789',
      'odd:x:-;:suspended;',
    ];
    const resumed = `${part('client-verbs')}\nresumed ${clients}/bob.map`;
    const kept = { ...bob, tokens, end: 1_900_000_000 };
    file(kept);
    const before = readFileSync(join(clients, 'bob.map'), 'utf8');
    assert.equal(run(resumed), before);
    const suspended = run(`suspended ${clients}/bob.map`);
    assert.equal(suspended, clientFileText({ ...kept, suspended: true }).text);
    write('bob', suspended);
    assert.equal(run(`suspended ${clients}/bob.map`), suspended);
    assert.equal(run(resumed), before);
  });

  it('reads back every line that it writes, for any token', () => {
    const unit = fc.constantFrom(
      ...Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i)).filter((c) => !`"'\\`.includes(c)),
    );
    const tokens = fc.sample(fc.string({ unit, minLength: 16, maxLength: 512 }), 60);
    file({ ...bob, tokens });
    const read = run(`clients_awk 'read_key($0) && name == "bob" { print token }'`);
    assert.deepEqual(read.split('\n').slice(0, -1), tokens);
  });
});

it('makes the live files again that were lost, but not those of a client that was or is being revoked', () => {
  for (const [end, expected] of [
    [':', 'ann.1\nbob.2\n'],
    ['end_client', 'ann.1\n'],
  ])
    assert.equal(
      run(`PENDING=$(mktemp -d); true >"$PENDING/eve"; CLIENT=bob FIRST_ACT=${end} FOUND="\${NL}alive\${NL}lost ann.1\${NL}lost eve.3\${NL}lost bob.2$NL"
find_lost >/dev/null; rm -r "$PENDING"; printf '%s' "$LIVE_NEW"`),
      expected,
    );
});

describe("the previous release's client files", () => {
  it('are all converted in one change, with tokens and limits unchanged', () => {
    rmSync(clients, { recursive: true, force: true });
    mkdirSync(clients, { recursive: true });
    const [first, twin] = ['abcdefghijklmnopqrstuvwxyz-1', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ-2'];
    write('default', oldClientText({ name: 'default', scope: 'full', tokens: [TOKEN] }));
    write('ann', oldClientText({ name: 'ann', scope: 'inference', tokens: [first, OLD], limit: 10 }));
    write('bob', oldClientText({ ...bob, tokens: [twin] }));
    const command = `CLIENTS=$CLIENTS; scan_clients; is_found old && convert_clients; cat "$SOURCE"/*.map; printf '%s' "$LIVE_NEW"; rm -rf "$JOURNAL.new"`;
    const taken = new Set<string>();
    const made = [
      clientFileText({ name: 'ann', scope: 'inference', tokens: [first, OLD], limit: 10 }, taken),
      clientFileText({ ...bob, tokens: [twin] }, taken),
      clientFileText({ name: 'default', scope: 'full', tokens: [TOKEN] }, taken),
    ];
    const printed = run(command);
    const [, ...rest] = printed.split('\n');
    assert.match(printed, /^@R1\tnote\t/);
    assert.equal(
      rest.join('\n'),
      `${made.map(({ text }) => text).join('')}${made.flatMap((one) => one.live).join('\n')}\n`,
    );
    assert.equal(made[1]?.text.includes(`"~^:`), true);
  });
});
