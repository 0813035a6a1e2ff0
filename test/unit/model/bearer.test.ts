/** Tokens and clients: what is accepted, and the text that nginx reads. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  escapeToken,
  judgeClientName,
  judgeToken,
  judgeTokenForm,
  tokenFingerprint,
} from '../../../lib/model/bearer.ts';
import { LINE_SIZE } from '../../../lib/nginx/client-map.ts';
import { Secret } from '../../../lib/util/secret.ts';
import { exactLine, hashedLine, liveName } from '../../lab/actors/client-lines.ts';

const GOOD = '7c1e90b3d85f2a64e0b9471cd36f8a25913e5d70c8a2f46b1d9e0375ab8c642f';
const visible = Array.from({ length: 94 }, (_, at) => String.fromCharCode(33 + at));
const allowed = visible.filter((character) => !`"'\\`.includes(character));
const tokens = fc.string({ unit: fc.constantFrom(...allowed), minLength: 16, maxLength: 512 });

const accepted = [
  GOOD,
  'a.b+c*(d)[e]{f}^g|h?;#~%&=<>',
  '$host$host$host$host',
  '~~~~default;include}',
  `${GOOD.repeat(7)}${GOOD.slice(0, 63)}~`,
];

for (const token of accepted) {
  test(`accepts the token ${token.slice(0, 28)} (${token.length} characters)`, () => {
    assert.equal(judgeToken(token), undefined);
  });
}

const refused: Record<string, string> = {
  'an empty token': '',
  blanks: ' '.repeat(20),
  'an inner space': 'abcdefgh ijklmnopq',
  'a surrounding space': `${GOOD} `,
  'a leading space': ` ${GOOD}`,
  'a tab': `abc\t${GOOD}`,
  'a final newline': `${GOOD}\n`,
  'an inner newline': `${GOOD}\n${GOOD}`,
  NUL: `${GOOD}\0`,
  'a double quote': `${GOOD}"`,
  'a single quote': `${GOOD}'`,
  'a backslash': `${GOOD}\\`,
  'non-ASCII': `${GOOD}é`,
  'full-width digits': '０１２３４５６７８９０１２３４５６７',
  DEL: `${GOOD}\x7f`,
  '15 characters': 'abcdefghijklmno',
  '513 characters': `${GOOD.repeat(8)}~`,
  '4,096 characters': 'ab'.repeat(2048),
  '1 MB': 'ab'.repeat(512 * 1024),
  'the token of .env.example': 'changeme-by-openssl-rand-hex-32',
  changeme: 'changeme-changeme-changeme',
  CHANGE_ME: 'CHANGE_ME_CHANGE_ME',
  'your-token-here': 'your-token-here-please',
  'one repeated character': 'a'.repeat(64),
};

for (const [what, token] of Object.entries(refused)) {
  test(`refuses ${what}`, () => assert.notEqual(judgeToken(token), undefined));
}

test('refuses a pasted header with the advice to leave out "Bearer "', () => {
  assert.match(judgeToken(`Bearer ${GOOD}`) ?? '', /without "Bearer "/);
});

test('never repeats a refused token', () => {
  for (const token of Object.values(refused).filter((value) => value.length > 20)) {
    assert.ok(!(judgeToken(token) ?? '').includes(token.slice(0, 12)));
  }
});

test('accepts 16 to 512 visible characters without quotes and backslashes', () => {
  fc.assert(fc.property(tokens, (token) => judgeTokenForm(token) === undefined));
  fc.assert(fc.property(fc.noBias(tokens), (token) => judgeToken(token) === undefined));
});

test('refuses a token with a single forbidden character', () => {
  const bad = fc.constantFrom('"', "'", '\\', ' ', '\t', '\r', '\n', '\0', '\x7f', '\x80', 'ÿ', '🔑');
  fc.assert(
    fc.property(tokens, bad, fc.nat(), (token, character, at) => {
      const place = at % (token.length + 1);
      return judgeToken(token.slice(0, place) + character + token.slice(place)) !== undefined;
    }),
  );
});

test('removing the backslashes of an escaped token restores it', () => {
  fc.assert(fc.property(tokens, (token) => escapeToken(token).replaceAll('\\', '') === token));
});

test('an escaped token is a regex that matches only itself', () => {
  fc.assert(
    fc.property(tokens, tokens, (token, other) => {
      const regex = new RegExp(`^${escapeToken(token)}$`);
      return regex.test(token) && regex.test(other) === (token === other);
    }),
  );
});

test('the longest token fits into a word of nginx', () => {
  const line = exactLine(new Secret('%'.repeat(512)), { client: 'a'.repeat(64), scope: 'inference' });
  assert.ok(line.length < LINE_SIZE);
});

for (const name of ['a', 'default', 'laptop-nico', 'ci_2', '0', 'a'.repeat(64)]) {
  test(`accepts the client name ${name.slice(0, 20)}`, () => assert.equal(judgeClientName(name), undefined));
}

const badNames = [
  '',
  '../x',
  'a/b',
  '.x',
  'a.b',
  '-x',
  '_x',
  'A',
  'é',
  'a b',
  'a\n',
  'a;',
  '*',
  'a'.repeat(65),
];
for (const name of badNames) {
  test(`refuses the client name ${JSON.stringify(name.slice(0, 20))}`, () => {
    assert.notEqual(judgeClientName(name), undefined);
  });
}

test('a fingerprint is the first 12 hex digits of SHA-256', () => {
  assert.equal(tokenFingerprint(new Secret('abc')), 'ba7816bf8f01');
});

test("keys a token's line by the token's first characters, or by all of them", () => {
  const token = new Secret('$a.b+c-0123456789-0123456789');
  const grant = { client: 'laptop', scope: 'inference', limit: 60, end: 1_800_000_000 } as const;
  const print = tokenFingerprint(token);
  assert.equal(
    hashedLine(token, grant, 'x_dollar'),
    `"=$a.b+c-0123456789-012345" "\${x_dollar}a.b+c-0123456789-0123456789 inference:laptop.${print}-i-60-0-1800000000:60:-:1800000000:-";\n`,
  );
  assert.equal(
    exactLine(token, { client: 'laptop', scope: 'full', suspended: true }),
    `"~^:\\$a\\.b\\+c\\-0123456789\\-0123456789\\z" full:laptop.${print}-f-0-0-0:-:-:-:suspended;\n`,
  );
  assert.equal(liveName(token, grant), `laptop.${print}-i-60-0-1800000000`);
});
