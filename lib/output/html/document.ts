/** The whole page: one file that loads nothing and runs nothing. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { checkCounts } from '../../model/check.ts';
import type { PageContent, PageHost } from './content.ts';
import { checkId, hostSection, worstFirst } from './host-section.ts';
import { type Html, html } from './html.ts';
import { line, verdictOf } from './verdict.ts';

/** The page as text. */
export async function documentText(content: PageContent): Promise<string> {
  const { hosts } = content;
  const now = new Date(content.made);
  return html`<!doctype html>
<html lang="en">
${await head(content)}
<body>
${header(content)}
<main>
${hosts.length > 1 ? overview(hosts) : undefined}
${hosts.map((host, i) => hostSection(host, now, hostId(i)))}
</main>
<footer><p>Written by gatepost, <code>npx tsx scripts/verify.ts --html</code>. This page loads nothing and runs no script.</p></footer>
</body>
</html>
`.html;
}

/** Only the page's own style sheet may apply, known by its sum (CSP Level 3, section 2.3.1). */
async function head({ site, hosts }: PageContent): Promise<Html> {
  const style = await readFile(new URL('style.css', import.meta.url), 'utf8');
  const sum = createHash('sha256').update(style).digest('base64');
  const policy = `default-src 'none'; style-src 'sha256-${sum}'; base-uri 'none'; form-action 'none'`;
  return html`<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${site}: ${verdictOf(hosts).text}</title>
<style>${{ html: style }}</style>
</head>`;
}

const hostId = (place: number): string => `host-${place + 1}`;

function header({ site, made, who, hosts }: PageContent): Html {
  const when = made.replace('T', ' ').replace('Z', ' UTC');
  return html`<header>
<h1>${site}</h1>
<p class="verdict">${line(verdictOf(hosts))}</p>
<p>${checkCounts(hosts.flatMap(({ checks }) => checks)).join()}</p>
<p class="quiet"><time datetime="${made}">${when}</time>, by ${who}</p>
</header>`;
}

/** Several hosts at a glance, each with the way to what failed there. */
function overview(hosts: readonly PageHost[]): Html {
  return html`<nav aria-label="Hosts">
<ul role="list">${hosts.map((host, i) => row(host, hostId(i)))}
</ul>
</nav>`;
}

function row(host: PageHost, id: string): Html {
  const failing = worstFirst(host.checks).filter((check) => check.status === 'failed');
  const links = failing.map(({ name }, i) => html`, <a href="#${checkId(id, i)}">${name}</a>`);
  return html`
<li><a href="#${id}">${host.name}</a>: ${line(verdictOf([host]))}${links}</li>`;
}
