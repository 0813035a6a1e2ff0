/** The validity of a certificate as a bar, with today and the warning and failure thresholds. */
import { DAY_MS, judgeLife, timeText } from '../../model/certificate.ts';
import type { CertificateLife, CheckStatus } from '../../model/check.ts';
import { anchor, figure, type Scale, scale } from './figure.ts';
import { type Html, html } from './html.ts';

/** Percent of the chart that two adjacent labels need on a phone. */
const ROOM = { dates: 45, days: 15 };
/** Pixels from the top, and pixels high. */
const BAR = { y: 22, height: 14 };
const STRIP = { y: 39, height: 5 };

/** @param now the day to mark */
export function certificateBar(life: CertificateLife, now: Date, id: string): Html {
  const [from, to, today] = [Date.parse(life.notBefore), Date.parse(life.notAfter), now.getTime()];
  const at = scale(Math.min(from, today), Math.max(to, today));
  const { status, text } = today < from ? NOT_YET : stateOf(life, now);
  const about = {
    title: 'Validity of the certificate',
    description: `Valid from ${time(life.notBefore)} to ${time(life.notAfter)} UTC; today: ${text}.`,
    legend: `The check warns below ${life.warnDays} days left and fails below ${life.failDays}.`,
  };
  return figure(
    { kind: 'life', id, height: 80, ...about },
    html`${band('whole', BAR, at(from), at(to), 0.2)}
${band(`left ${status}`, BAR, at(Math.max(today, from)), at(to), 0.8)}
${limits(life, from, to, at)}
${mark(at(today), `today: ${text}`)}
${dates(life, at(from), at(to))}`,
  );
}

const NOT_YET = { status: 'failed', text: 'not valid yet' } as const;

function stateOf(life: CertificateLife, now: Date): { status: CheckStatus; text: string } {
  const [from, until] = [new Date(life.notBefore), new Date(life.notAfter)];
  const time = timeText(until, now);
  return {
    status: judgeLife({ from, until }, now),
    text: until < now ? `expired ${time} ago` : `${time} left`,
  };
}

function band(kind: string, { y, height }: typeof BAR, x: number, end: number, opacity: number): Html {
  const width = Math.max(Math.round(100 * (end - x)) / 100, 0);
  return html`<rect class="${kind}" x="${x}%" width="${width}%" y="${y}" height="${height}" opacity="${opacity}" />`;
}

function mark(x: number, words: string): Html {
  return html`<line class="today" x1="${x}%" x2="${x}%" y1="17" y2="44" stroke="currentColor" stroke-width="2" />
<text x="${x}%" y="12" text-anchor="${anchor(x)}">${words}</text>`;
}

/** The warning and failure periods, as strips below the bar with the number of days at the start of each. */
function limits({ warnDays, failDays }: CertificateLife, from: number, to: number, at: Scale): Html {
  const start = (days: number) => at(Math.max(to - days * DAY_MS, from));
  const [warn, fail] = [start(warnDays), start(failDays)];
  const label = (x: number, words: string) =>
    html`<text x="${x}%" y="57" text-anchor="${x < 25 ? 'start' : 'end'}">${words}</text>`;
  const labels =
    fail - warn < ROOM.days
      ? label(warn, `${warnDays} and ${failDays} days`)
      : [label(warn, `${warnDays} days`), label(fail, `${failDays} days`)];
  return html`${band('warned', STRIP, warn, fail, 1)}
${band('failed', STRIP, fail, at(to), 1)}
${labels}`;
}

/** If the clock is years off, the bar is too short for both dates: the text below it includes them. */
function dates({ notBefore, notAfter }: CertificateLife, from: number, to: number): Html | undefined {
  if (to - from < ROOM.dates) return undefined;
  return html`<text x="${from}%" y="76">${notBefore.slice(0, 10)}</text>
<text x="${to}%" y="76" text-anchor="${anchor(to)}">${notAfter.slice(0, 10)}</text>`;
}

const time = (iso: string): string => iso.slice(0, 16).replace('T', ' ');
