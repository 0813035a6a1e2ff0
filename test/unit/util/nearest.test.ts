/** Typos: the known word that was meant. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { nearest } from '../../../lib/util/nearest.ts';

const FLAGS = ['json', 'host', 'dry-run', 'no-verify', 'force-renewal', 'site', 'only', 'to'];
const SETTINGS = ['IA_ENSO_SERVER_NAME', 'IA_ENSO_PROXY_PORT', 'IA_ENSO_OLLAMA_BEARER_TOKEN', 'ACME_EMAIL'];

for (const [word, known, meant] of [
  ['jsn', FLAGS, 'json'],
  ['jsno', FLAGS, 'json'],
  ['jsxx', FLAGS, undefined],
  ['dryrun', FLAGS, 'dry-run'],
  ['dry', FLAGS, 'dry-run'],
  ['force', FLAGS, 'force-renewal'],
  ['user', FLAGS, undefined],
  ['port', FLAGS, undefined],
  ['IA_ENSO_SERVER_NAMES', SETTINGS, 'IA_ENSO_SERVER_NAME'],
  ['IA_ENSO_OLLAMA_PORT', SETTINGS, undefined],
  ['IA_ENSO_BEARER_TOKEN', SETTINGS, 'IA_ENSO_OLLAMA_BEARER_TOKEN'],
  ['IA_ENSO_NAME', SETTINGS, 'IA_ENSO_SERVER_NAME'],
  ['ACME_MAIL', SETTINGS, 'ACME_EMAIL'],
  ['IA_ENSO_', SETTINGS, undefined],
] as const)
  it(`suggests ${meant} for ${word}`, () => assert.equal(nearest(word, known), meant));
