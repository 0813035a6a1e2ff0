/** Puts a site on its proxies, proves it and checks it from outside; or restores what was there. */
import { DEFAULT_CLIENT } from '../lib/bearers.ts';
import { change } from '../lib/change.ts';
import { main, newRun } from '../lib/cli.ts';
import { siteProgram } from '../lib/program.ts';
import { clientFile, render } from '../lib/render.ts';
import { conclude, isDone } from '../lib/summary.ts';
import { bearerFor } from '../lib/tokens.ts';

await main({
  name: 'deploy',
  does: 'Renders a site, sends it to its proxies, tests, reloads, proves and checks it; or restores what was there.',
  flags: ['dry-run', 'no-verify'],
  run: async (context) => {
    const { site, settings, flags, report, underWay } = context;
    const run = newRun();
    const [files, bearer] = await Promise.all([render(site, settings), bearerFor(site, settings)]);
    if (bearer) {
      report.hide(bearer.token);
      if (bearer.role === 'first-client') underWay.tokens.set(DEFAULT_CLIENT, bearer.token);
      files.push(clientFile(bearer.role, bearer.token, run.now));
    }
    const program = await siteProgram(flags['dry-run'] ? 'plan' : 'apply', run, site, files);
    const hosts = await change(context, run, program, !flags['dry-run']);
    if (flags['dry-run']) (await import('../lib/diffs.ts')).tellDiffs(hosts, report);

    // A lost connection may have left it live: better shown in vain than lost.
    const isNew =
      bearer?.role === 'first-client' && hosts.some((host) => host.generated || host.outcome === 'unknown');
    const known = isNew || bearer?.role === 'client' ? bearer.token : undefined;
    if (isNew && !flags.json) report.showToken(DEFAULT_CLIENT, bearer.token);

    const isLive = hosts.some(isDone) && !flags['dry-run'];
    const checks =
      isLive && !flags['no-verify'] ? await (await import('../lib/verify.ts')).verify(context, known) : [];
    return conclude(context, hosts, checks, isNew ? bearer.token : undefined);
  },
});
