/** Checks every JSON document that a script prints in a test against docs/json.md. */
import assert from 'node:assert/strict';
import { judgeDocument } from '../../../docs/json-documents.ts';
import type { Result } from '../namespaces/process.ts';

/** Returns the script's result; fails if its document has an undocumented field, lacks one, or has another type. */
export function documented(args: readonly string[] = [], result: Result): Result {
  if (!args.includes('--json') || !result.stdout.startsWith('{')) return result;
  assert.deepEqual(
    judgeDocument(JSON.parse(result.stdout)),
    [],
    'docs/json-documents.ts and the JSON differ',
  );
  return result;
}
