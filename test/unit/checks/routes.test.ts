/** Who answered a path: its service, the web interface, or nginx itself. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { judgeClosed, judgeReached } from '../../../lib/checks/web/routes.ts';

const by = (status: number, type: string, body: string) => [
  { path: '/x', answer: { status, headers: type ? { 'content-type': type } : {}, body } },
];
const nginx = (status: number, version = '') =>
  by(
    status,
    'text/html',
    `<html>\r\n<body>\r\n<hr><center>nginx${version}</center>\r\n</body>\r\n</html>\r\n`,
  );
const page = by(200, 'text/html; charset=utf-8', '<!doctype html>\n<title>UI</title>');

describe('a service', () => {
  for (const [status, type, body] of [
    [200, 'application/json', '{}'],
    [401, 'application/json', '{"error":"key"}'],
    [403, '', ''],
    [404, 'text/plain', '404 page not found'],
    [200, 'text/event-stream', 'data: 1\n\n'],
  ] as const)
    it(`is reached if it returns ${status} ${type}`, () =>
      assert.equal(judgeReached('Hub', by(status, type, body)).status, 'passed'));

  const lost: readonly [string, ReturnType<typeof by>, RegExp][] = [
    ['the web interface', page, /Hub is not reached: \/x returns an HTML page \(200\)/],
    ['a page without a type', by(200, '', '<!DOCTYPE html><html>'), /HTML page/],
    ['nginx with 404', nginx(404), /nginx error page \(404\)/],
    ['nginx with 502', nginx(502, '/1.22.1'), /nginx error page \(502\).*could not reach the backend/],
  ];
  for (const [who, response, says] of lost)
    it(`is not reached if ${who} answers`, () => {
      const { status, detail } = judgeReached('Hub', response);
      assert.equal(status, 'failed');
      assert.match(detail, says);
    });
});

describe('a closed path', () => {
  it('is closed if nginx returns its error page (404)', () =>
    assert.equal(judgeClosed(nginx(404)).status, 'passed'));
  for (const [who, response] of [
    ['the web interface', page],
    ["a service's 404", by(404, 'application/json', '{}')],
    ['nginx with 403', nginx(403)],
    ['nginx with 502', nginx(502)],
  ] as const)
    it(`is not closed if ${who} answers`, () => assert.equal(judgeClosed(response).status, 'failed'));
});
