/** How every script begins and ends: flags, site, settings, the one error boundary, the exit status. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Context, Result, UnderWay } from '../commands/context.ts';
import { runHook } from '../commands/hook.ts';
import type { Choice } from '../config/choice.ts';
import type { CommandLine, FlagName, Flags } from '../config/flag-table.ts';
import { chooseRun, isInCi, keepFromChildren, readSettings, terminal } from '../config/settings.ts';
import {
  DEFAULT_SITE,
  findSites,
  pickSite,
  withNameFrom,
  withoutUnusedChecks,
} from '../config/site-registry.ts';
import { escapedInvisible } from '../output/redact.ts';
import { createReport, type Report } from '../output/report.ts';
import { widthOf } from '../output/text.ts';
import { EXIT, StopError } from '../util/errors.ts';
import { readVersion } from '../util/project.ts';
import { Secret } from '../util/secret.ts';
import { helpText, readFlags, type Usage } from './flags.ts';
import { hidingTokens, withoutToken } from './hidden-token.ts';
import { showUnseen, whatIsLeft } from './interruption.ts';

export interface Command extends Usage {
  readonly run: (context: Context) => Promise<Result>;
}

/** What the end of a run needs, even if it comes early. */
interface Session {
  readonly report: Report;
  readonly underWay: UnderWay;
  readonly version: string;
  /** The site, once it is known. */
  site: string;
}

/** Flags with which stdout is for a program. */
const DATA = /^--(?:prometheus|bundle[=\n]-)$/m;

const hidesTokens = isInCi && !process.argv.includes('--show-token');

/** How long the process may stay alive at the end (an SSH agent that does not answer, a dead connection). */
const LINGER_MS = 1000;

/** Runs a script to its exit status. Nothing else ends the process. */
export async function main(command: Command): Promise<void> {
  // Not by parseArgs: a typo in the flags must not hide that JSON is wanted.
  const json = process.argv.includes('--json');
  const isData = json || DATA.test(process.argv.slice(2).join('\n'));
  const underWay: UnderWay = { hosts: new Map(), tokens: new Map() };
  const session: Session = {
    report: await reportOf(isData, underWay),
    underWay,
    version: await readVersion(),
    site: DEFAULT_SITE,
  };
  let isEnded = false;
  const end = (result: Result) => {
    isEnded = true;
    const shown =
      json && result.json && hidesTokens ? withoutToken(result.json, session.report) : result.json;
    session.report.close();
    if (json && shown)
      process.stdout.write(`${document(command, { exit: result.exit, ...shown }, session)}\n`);
    process.exitCode = result.exit;
    if (!json && result.data) process.stdout.write(result.data, (error) => dataWritten(error, session));
    // A reader may be slow: `less`, or an ssh that still connects.
    void outputRead().then(() => setTimeout(() => process.exit(), LINGER_MS).unref());
    // Before Node exits on its own, it removes its signal handlers: a late Ctrl-C would then replace the exit status.
    process.once('beforeExit', () => process.exit());
  };
  const endNow = (resultOf: () => Result) => {
    if (!isEnded) end(resultOf());
    process.exit();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => endNow(() => interruptedResult(session)));
  // Thrown where no promise carries it here.
  process.once('uncaughtException', (error) => endNow(() => errorResult(error, session)));
  const failed = (error: unknown) => errorResult(error, session);
  end(await runCommand(command, session).catch(failed));
}

/** What a program was to read is not there; no proxy was changed. */
function dataWritten(error: Error | null | undefined, { report }: Session): void {
  if (!error) return;
  const message = `stdout cannot be written: ${error.message}`;
  report.print({ kind: 'problem', message, advice: 'What was written is incomplete. Fix that, then retry.' });
  process.exitCode ||= EXIT.refused;
}

/** Resolves when all output has been read, or cannot be. */
const outputRead = (): Promise<unknown> =>
  Promise.all(
    [process.stdout, process.stderr].map(
      (stream) => new Promise<void>((resolve) => stream.write('', () => resolve())),
    ),
  );

/** The report; a token that it has shown is not shown again. */
async function reportOf(isData: boolean, { tokens }: UnderWay): Promise<Report> {
  // A closed output pipe does not stop the change.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  const created = await createReport({
    stream: isData ? process.stderr : process.stdout,
    verbose: process.argv.includes('--verbose'),
    terminal,
  });
  const report = hidesTokens ? hidingTokens(created) : created;
  const showToken: Report['showToken'] = (client, token) => {
    tokens.delete(client);
    report.showToken(client, token);
  };
  return { ...report, showToken };
}

/** The JSON document; a new token is the only secret in it. */
function document({ name }: Command, json: Result['json'], { report, site, version }: Session): string {
  const clean = (key: string, value: unknown) => {
    if (typeof value !== 'string' || key === 'token') return value;
    return key === 'diff' ? report.safe(value) : report.clean(value);
  };
  return escapedInvisible(JSON.stringify({ script: name, site, version, ...json }, clean, 2));
}

async function runCommand(command: Command, session: Session): Promise<Result> {
  const { report, underWay } = session;
  const { words, ...line } = readFlags(command);
  const choice = await chooseRun(line);
  if (line.flags.help || line.flags.version) return answer(command, line.flags, choice);
  const { flags, given } = withChoice(line, choice);
  session.site = flags.site;
  report.carry({ flags, given, words });
  report.print({ kind: 'detail', text: `env file: ${existsSync(flags.env) ? resolve(flags.env) : 'none'}` });
  const sites = await findSites(choice.ownSites);
  const picked = pickSite(sites, flags.site, choice.siteFrom);
  const settings = await readSettings(picked, sites.values(), {
    envFile: flags.env,
    isEnvFileWanted: given.has('env'),
    isHostless: flags.local || flags.bundle !== undefined || flags.render !== undefined,
    // A copy is between two proxies, which the settings need not name.
    host: flags.from === undefined ? flags.host : `${flags.from},${flags.to}`,
    replacesToken: flags['write-env'],
  });
  keepFromChildren(sites.values());
  const site = withoutUnusedChecks(withNameFrom(picked, settings.values), settings.values);
  for (const value of Object.values(settings.values)) if (value instanceof Secret) report.hide(value);
  for (const text of settings.warnings) report.print({ kind: 'warning', text });
  const context = { site, settings, flags, words, report, underWay };
  const result = await command.run(context);
  await runHook(context, command.name, result.hosts);
  return result;
}

type Line = Pick<CommandLine, 'flags' | 'given'>;

async function answer(command: Command, { version }: Flags, { ownSites }: Choice): Promise<Result> {
  const text = version
    ? `gatepost ${await readVersion()}\n`
    : helpText(command, [...(await siteNames(ownSites))], widthOf(process.stdout));
  process.stdout.write(text);
  return { exit: EXIT.done };
}

/** If one's own sites cannot be loaded, help is shown without them. */
const siteNames = async (ownSites: string | undefined): Promise<Iterable<string>> =>
  (await findSites(ownSites).catch(() => findSites())).keys();

/** The command line with the choices from settings, for the commands in messages. */
function withChoice({ flags, given }: Line, { envFile, site, isFromEnvironment }: Choice): Line {
  const more: readonly FlagName[] = isFromEnvironment ? ['site'] : [];
  return { flags: { ...flags, env: envFile, site }, given: new Set([...given, ...more]) };
}

/** An error is a problem that the operator can fix, or a bug. (A host that failed is a result.) */
function errorResult(error: unknown, session: Session): Result {
  if (error instanceof StopError)
    return problemResult(error.message, error.advice, error.exit, session.report);
  const what = `A bug in this script: ${(error as Error)?.stack ?? error}`;
  return earlyEnd(
    session,
    (left) => `${what}${left && `\nIt happened ${left}.`}`,
    'Please report it, with this text. ',
  );
}

/** Ctrl-C: a program that was sent runs to its end on the proxy; others are never started. */
const interruptedResult = (session: Session): Result =>
  earlyEnd(session, (left) => `Interrupted${left && ` ${left}`}.`);

/** Reports what is left behind, and shows the new tokens that may be live. */
function earlyEnd({ report, underWay }: Session, messageOf: (left: string) => string, request = ''): Result {
  const { exit, left, advice } = whatIsLeft(underWay);
  const result = problemResult(messageOf(left), `${request}${advice}`, exit, report);
  showUnseen(underWay, report);
  return result;
}

function problemResult(message: string, advice: string, exit: Result['exit'], report: Report): Result {
  report.print({ kind: 'problem', message, advice });
  return { exit, json: { hosts: [], error: { message, advice } } };
}
