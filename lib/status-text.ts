/** A host's status as people read it. */
import { clientTable } from './client-table.ts';
import type { HostReport } from './outcome.ts';
import { type Certificate, type Release, type Status, statusOf } from './status.ts';
import { table } from './table.ts';

/** The status as people read it. */
export function statusText(host: HostReport, now: string): string {
  const status = statusOf(host, now);
  return [
    `${host.host}`,
    nginxLine(status),
    ...status.messages.map((text) => `  ${text}`),
    ...(status.busy ? [`at work now: ${status.busy}`] : []),
    ...(status.unfinished ? [`unfinished: ${status.unfinished}; the next change puts it right first`] : []),
    ...(status.certificate ? [certificateLine(status.certificate)] : ['certificate: none known']),
    '',
    releaseTable(status.releases),
    '',
    ...columns(
      ['file', 'state'],
      status.state.map(({ path, state }) => [path, STATES[state] ?? state]),
    ),
    ...columns(
      ['backend', 'asked from the proxy'],
      status.backends.map(({ address, port, state }) => [`${address}:${port}`, state]),
    ),
    clientTable(host),
    '',
  ].join('\n');
}

const STATES: Readonly<Record<string, string>> = {
  ok: 'as released',
  changed: 'changed by hand',
  removed: 'removed by hand',
};

const columns = (heads: readonly string[], rows: readonly (readonly string[])[]): string[] =>
  rows.length > 0 ? [table(heads, rows), ''] : [];

function nginxLine({ nginx }: Status): string {
  if (nginx.version === 'absent') return 'nginx: none on this host';
  const health = nginx.healthy ? 'accepts its configuration' : 'REFUSES its configuration';
  return `nginx ${nginx.version}: ${nginx.running ? 'running' : 'NOT running'}, ${health}`;
}

function certificateLine({ path, ends, daysLeft, names }: Certificate): string {
  if (ends === 'missing') return `certificate: ${path} is missing (npx tsx scripts/bootstrap-tls.ts)`;
  if (daysLeft === undefined) return `certificate: ${path} is no certificate in PEM form`;
  return `certificate: ${daysLeft} days left, until ${ends}, for ${names} (${path})`;
}

function releaseTable(releases: readonly Release[]): string {
  if (releases.length === 0) return 'no release of this site';
  return table(
    ['release', 'when', 'who', 'what'],
    releases.map(({ id, when, who, kind, about }, i) => [
      id,
      when,
      who,
      `${kind}${about ? ` ${about}` : ''}${i === 0 ? ' (current)' : ''}`,
    ]),
  );
}
