/** The operator's yes, before something is removed that nothing restores. */
import { titleOf } from '../model/site.ts';
import { StopError, UsageError } from '../util/errors.ts';
import type { Context } from './context.ts';

/**
 * Returns once the operator confirmed the removal, by --yes or at the prompt; a dry run needs no confirmation.
 * @throws UsageError without a terminal
 * @throws StopError for any other answer, Ctrl-C and Ctrl-D included
 */
export async function confirmRemoval({ site, settings, flags, report }: Context): Promise<void> {
  if (flags.yes || flags['dry-run']) return;
  // The prompt goes to stderr: stdout may be a file, or JSON.
  if (!process.stdin.isTTY || !process.stderr.isTTY)
    throw new UsageError(
      [`--yes: required without a terminal, to remove ${titleOf(site)}`],
      'No connection was made. `--dry-run` shows what would be removed.',
    );
  const where = flags.local ? 'this machine' : settings.access.hosts.join(', ');
  const kept = 'The tokens of its clients are rejected; `npx tsx scripts/rollback.ts` restores them.';
  const clients = flags.purge ? 'Its clients and their tokens cannot be restored.' : kept;
  const text = `This removes ${titleOf(site)} from ${where}.${site.gate ? ` ${clients}` : ''}`;
  report.print({ kind: 'warning', text });
  const answer = await ask(`  Type yes or ${titleOf(site)}: `);
  if (answer !== 'yes' && answer !== titleOf(site))
    throw new StopError('Not removed: the answer was not yes.', 'No connection was made.');
}

/** One line typed on the terminal; empty when the input ended or was interrupted. */
async function ask(prompt: string): Promise<string> {
  const { question } = await import('zx');
  const { stdin, stderr } = process;
  // zx's promise stays pending on Ctrl-C and Ctrl-D; readline pauses its input whenever it closes.
  const isClosed = new Promise<string>((resolve) => {
    stdin.once('pause', () => setImmediate(resolve, ''));
  });
  const answer = await Promise.race([question(prompt, { input: stdin, output: stderr }), isClosed]);
  return answer.trim();
}
