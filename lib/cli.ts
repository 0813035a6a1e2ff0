/** How every script begins and ends: flags, site, settings, the one error boundary, the exit status. */
import type { Context, Result, UnderWay } from './context.ts';
import { EXIT, StopError } from './errors.ts';
import { helpText, readFlags, type Usage } from './flags.ts';
import { createReport, type Report } from './report.ts';
import { Secret } from './secret.ts';
import { readSettings, terminal } from './settings.ts';
import { DEFAULT_SITE, findSites, named, pickSite } from './sites.ts';
import { widthOf } from './text/columns.ts';

export interface Command extends Usage {
  readonly run: (context: Context) => Promise<Result>;
}

/** Runs a script to its exit status. Nothing else in the suite ends the process. */
export async function main(command: Command): Promise<void> {
  // Looked for by hand: a slip in the flags must not hide that JSON is wanted.
  const json = process.argv.includes('--json');
  const report = await createReport({
    stream: json ? process.stderr : process.stdout,
    verbose: process.argv.includes('--verbose'),
    terminal,
  });
  const underWay: UnderWay = { hosts: new Set(), tokens: new Map() };
  const end = (result: Result) => {
    report.close();
    if (json) process.stdout.write(`${document(command, result, report)}\n`);
    process.exitCode = result.exit;
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      end(interrupted(underWay, report));
      process.exit();
    });
  }
  end(await runCommand(command, report, underWay).catch((error: unknown) => explainError(error, report)));
}

/** The one JSON document; the token, when there is one, is the only secret that stays. */
function document(command: Command, result: Result, report: Report): string {
  const whole = { script: command.name, site: DEFAULT_SITE, ...result.json };
  const clean = (key: string, value: unknown) =>
    typeof value === 'string' && key !== 'token' ? report.clean(value) : value;
  return JSON.stringify(whole, clean, 2);
}

async function runCommand(command: Command, report: Report, underWay: UnderWay): Promise<Result> {
  const { flags, words } = readFlags(command);
  if (flags.help) {
    process.stdout.write(helpText(command, widthOf(process.stdout)));
    return { exit: EXIT.done, json: {} };
  }
  const sites = await findSites();
  const picked = pickSite(sites, flags.site ?? DEFAULT_SITE);
  const settings = await readSettings(picked, sites.values(), {
    envFile: flags.env ?? '.env',
    // Nobody is reached by SSH then, so no setting need name a proxy.
    host: flags.local || flags.bundle !== undefined ? 'localhost' : flags.host,
  });
  const site = named(picked, settings.values);
  for (const value of Object.values(settings.values)) if (value instanceof Secret) report.hide(value);
  for (const text of settings.warnings) report.tell({ kind: 'warning', text });
  const result = await command.run({ site, settings, flags, words, report, underWay });
  return { ...result, json: { site: site.name, ...result.json } };
}

/** The operator can mend it, or it is a bug. (A host that failed is a result, not an error.) */
function explainError(error: unknown, report: Report): Result {
  const [message, advice, exit] =
    error instanceof StopError
      ? [error.message, error.advice, error.exit]
      : [
          `A bug in this script: ${(error as Error)?.stack ?? error}`,
          'Please report it, with this text.',
          EXIT.refused,
        ];
  report.tell({ kind: 'problem', message, advice });
  return { exit, json: { hosts: [], error: { message, advice } } };
}

/** Ctrl-C: what was sent ends by itself on the proxy, what was not sent never happens. */
function interrupted(underWay: UnderWay, report: Report): Result {
  const hosts = [...underWay.hosts];
  const message = hosts.length > 0 ? `Interrupted while ${hosts.join(', ')} was at work.` : 'Interrupted.';
  const advice =
    hosts.length > 0
      ? 'The proxy ends the change by itself: wholly live or wholly undone. Run the same command again to see and settle it.'
      : 'Nothing was changed on any proxy. Run the same command again.';
  report.tell({ kind: 'problem', message, advice });
  if (hosts.length > 0) for (const [client, token] of underWay.tokens) report.showToken(client, token);
  return {
    exit: hosts.length > 0 ? EXIT.unknown : EXIT.refused,
    json: { hosts: [], error: { message, advice } },
  };
}
