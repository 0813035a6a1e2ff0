/**
 * A reporter for node:test: the results of each file, one line of JSON per file. Counts as Node does: a suite is no
 * test.
 */
import { relative } from 'node:path';

export const NOTHING = { tests: 0, suites: 0, pass: 0, fail: 0, cancelled: 0, skipped: 0, todo: 0 };

function kindOf({ type, data: { skip, todo, details } }) {
  if (skip !== undefined) return 'skipped';
  if (todo !== undefined) return 'todo';
  if (type === 'test:pass') return 'pass';
  return ['cancelledByParent', 'testAborted'].includes(details.error?.failureType) ? 'cancelled' : 'fail';
}

export default async function* tally(events) {
  const files = new Map();
  for await (const event of events) {
    if (event.type !== 'test:pass' && event.type !== 'test:fail') continue;
    const file = relative(process.cwd(), event.data.file ?? '');
    // A suite whose hooks fail is a failure, too.
    const counts = files.get(file) ?? { file, hasFailed: false, ...NOTHING };
    files.set(file, counts);
    const kind = kindOf(event);
    counts.hasFailed ||= event.type === 'test:fail' && kind !== 'todo';
    if (event.data.details.type === 'suite') counts.suites += 1;
    else {
      counts.tests += 1;
      counts[kind] += 1;
    }
  }
  for (const counts of files.values()) yield `${JSON.stringify(counts)}\n`;
}
