/** Holds every JSON document that a test gets from a script to docs/json.md. */
import assert from 'node:assert/strict';
import { judgeDocument } from '../../../docs/json-documents.ts';
import type { Result } from '../namespaces/process.ts';

/** The result of a script; fails where its document has a field that is not documented, lacks one, or has another type. */
export function documented(args: readonly string[] = [], result: Result): Result {
  if (!args.includes('--json') || !result.stdout.startsWith('{')) return result;
  assert.deepEqual(
    judgeDocument(JSON.parse(result.stdout)),
    [],
    'docs/json-documents.ts and the JSON differ',
  );
  return result;
}
