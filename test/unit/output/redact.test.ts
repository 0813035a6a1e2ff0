/** Secrets and control characters are removed from every text. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import { escapedInvisible, printable, redactor } from '../../../lib/output/redact.ts';
import { Secret } from '../../../lib/util/secret.ts';

const TOKEN = 'a.b+c*(d)[e]{f}^g|h?;#~%&=<>';

describe('redaction', () => {
  const redact = redactor([new Secret(TOKEN)]);

  it('removes a token, raw and escaped for nginx', () => {
    const escaped = TOKEN.replace(/[^A-Za-z0-9]/g, '\\$&');
    assert.equal(redact(`x ${TOKEN} y ${escaped} z`), 'x [REDACTED] y [REDACTED] z');
  });

  it("removes another site's token from a message of nginx", () => {
    assert.ok(!redact('unexpected "Bearer hunter2hunter2" in /etc').includes('hunter2'));
    assert.ok(!redact('"~^(?i:bearer) +hunter2hunter2\\z"').includes('hunter2'));
  });

  it('keeps names of variables and fingerprints', () => {
    const text = 'Bearer $IA_ENSO_OLLAMA_BEARER_TOKEN "~^(?i:bearer) +<sha256:0123456789ab>"';
    assert.equal(redact(text), text);
  });

  it('removes control characters sent by a host', () => {
    assert.equal(printable('a\u001b[31mb\u0007\u009bc\td\ne'), 'a[31mbc\td\ne');
  });
});

describe('a secret', () => {
  it('is printed only by reveal()', () => {
    const secret = new Secret(TOKEN);
    const shown = [
      `${secret}`,
      JSON.stringify({ secret }),
      inspect({ secret }, { depth: 9, showHidden: true }),
    ];
    assert.ok(
      shown.every((text) => !text.includes(TOKEN) && text.includes('[REDACTED]')),
      shown.join(),
    );
    assert.equal(secret.reveal(), TOKEN);
  });
});

describe('escapedInvisible', () => {
  it('escapes invisible and reordering characters in JSON values and keys, and changes no value', () => {
    const odd = [
      '\u0085',
      '\u009b',
      '\u200b',
      '\u202e',
      '\u2066',
      '\ufeff',
      '\u2028',
      '\u{e0041}',
      '\u00ad',
    ].join('');
    const value = { [`key${odd}`]: `value${odd} é 漢` };
    const text = escapedInvisible(JSON.stringify(value));
    assert.doesNotMatch(text, /[\u007f-\u009f\p{Cf}\u2028\u2029]/u);
    assert.deepEqual(JSON.parse(text), value);
    assert.match(text, /é 漢/);
  });
});
