/** Templates: markers and snippets. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { fill, inline, markersOf } from '../../../lib/nginx/template.ts';

describe('fill', () => {
  it('fills every occurrence of a marker', () => {
    assert.equal(fill('t', 'a __X_Y__ b __X_Y__', { X_Y: '1' }), 'a 1 b 1');
  });

  it('refuses a marker without a value, and names it', () => {
    assert.throws(
      () => fill('sites/a.conf', '__X__ __Y__', { X: '1' }),
      /sites\/a\.conf: the marker __Y__ has no value/,
    );
  });

  it('refuses a value without its marker', () => {
    assert.throws(() => fill('t', 'no marker', { X: '1' }), /the marker __X__ is missing/);
  });

  it('never fills a marker inside a value', () => {
    assert.equal(fill('t', '__X__ __Y__', { X: '__Y__', Y: '$& $1' }), '__Y__ $& $1');
  });

  it('keeps all text around the markers', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), (before, value, after) => {
        fc.pre(markersOf(`${before}|__X__|${after}`).size === 1);
        assert.equal(fill('t', `${before}|__X__|${after}`, { X: value }), `${before}|${value}|${after}`);
      }),
    );
  });
});

describe('inline', () => {
  it('replaces the line with the snippet, with the same indentation', () => {
    const text = 'server {\n    include snippets/tls.conf;\n}\n';
    assert.equal(inline(text, { 'tls.conf': 'a;\n\nb;\n' }), 'server {\n    a;\n\n    b;\n}\n');
  });

  it('keeps dollar signs in the snippet', () => {
    assert.equal(inline('include snippets/a;\n', { a: 'set $host $&;\n' }), 'set $host $&;\n');
  });

  it('keeps other include directives', () => {
    assert.equal(inline('include mime.types;\n', {}), 'include mime.types;\n');
  });
});
