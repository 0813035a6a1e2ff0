/** A proxy, or the public name, as a section of the page: its checks, the worst first. */
import type { CheckResult } from '../../model/check.ts';
import { certificateBar } from './certificate-bar.ts';
import type { PageHost } from './content.ts';
import { type Html, html } from './html.ts';
import { streamChart } from './stream-chart.ts';
import { badge, line, WORST_FIRST } from './verdict.ts';

/** @param id of its heading; the ids of its checks start with it */
export function hostSection(host: PageHost, now: Date, id: string): Html {
  const checks = worstFirst(host.checks);
  return html`
<section aria-labelledby="${id}">
<h2 id="${id}">${host.title}</h2>
${times(host.milliseconds)}
${host.failure && unreached(host.failure)}
${checks.length > 0 ? list(checks.map((check, i) => item(check, now, checkId(id, i)))) : undefined}
</section>`;
}

/** The checks in the order of the page. */
export function worstFirst(checks: readonly CheckResult[]): readonly CheckResult[] {
  return WORST_FIRST.flatMap((each) => checks.filter(({ status }) => status === each));
}

/** The id of a check on the page, by its position in the list. */
export const checkId = (host: string, place: number): string => `${host}-check-${place + 1}`;

/** The role is for Safari, which does not treat a list without markers as a list. */
const list = (items: readonly Html[]): Html => html`<ol role="list">${items}
</ol>`;

function item(
  { name, status, detail, milliseconds, curl, measured }: CheckResult,
  now: Date,
  id: string,
): Html {
  return html`
<li class="check" id="${id}">
<h3>${badge(status)} <span class="name">${name}</span></h3>
<p class="took">${milliseconds} ms</p>
<div class="found">
<p>${prose(detail)}</p>
${measured?.kind === 'stream' ? streamChart(measured, id) : undefined}
${measured?.kind === 'certificate' ? certificateBar(measured, now, id) : undefined}
${curl === undefined ? undefined : html`<details><summary>Run manually</summary><pre><code>${curl}</code></pre></details>`}
</div>
</li>`;
}

/** Text in backticks is shown as code. */
function prose(text: string): readonly Html[] {
  return text.split(/`([^`]+)`/).map((part, i) => (i % 2 === 1 ? html`<code>${part}</code>` : html`${part}`));
}

function unreached({ text, cause, fix = '' }: NonNullable<PageHost['failure']>): Html {
  return html`<div class="unreached">
<p>${line({ status: 'failed', text })}</p>
<dl>${cause === undefined ? undefined : html`<dt>cause</dt><dd>${prose(cause)}</dd>`}<dt>fix</dt><dd>${prose(fix)}</dd></dl>
</div>`;
}

function times(milliseconds: PageHost['milliseconds']): Html | undefined {
  const all = Object.entries(milliseconds).map(([what, ms]) => `${what} ${ms} ms`);
  return all.length > 0 ? html`<p class="times">${all.join(', ')}</p>` : undefined;
}
