/** Opens a page of verify.ts in real Chromium, and returns what is visible. */
import { readFile } from 'node:fs/promises';
import { type Browser, chromium, type Locator, type Page } from 'playwright-core';

/** A page that is open, with all that it asked for and complained of. */
export interface Opened {
  readonly page: Page;
  readonly asked: readonly string[];
  readonly complaints: readonly string[];
}

/** Debian's own; as root it has no sandbox. */
export function startBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
}

/** Opens a file without a network, in light and 1280 px wide. */
export async function open(browser: Browser, file: string, { scripts = false } = {}): Promise<Opened> {
  const viewport = { width: 1280, height: 800 };
  const context = await browser.newContext({ viewport, javaScriptEnabled: scripts, offline: true });
  const page = await context.newPage();
  const [asked, complaints]: [string[], string[]] = [[], []];
  page.on('request', (request) => asked.push(request.url()));
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('dialog', (dialog) => complaints.push(dialog.message()));
  await page.goto(`file://${file}`);
  return { page, asked, complaints };
}

/** What is to be seen of a part, a line each. */
export async function seen(part: Locator): Promise<string> {
  return (await part.innerText()).replace(/\s*\n\s*/g, '\n');
}

/** Texts with less contrast to what is behind them than 4.5 to 1 (WCAG 2.2, 1.4.3). */
export async function faint(page: Page): Promise<readonly string[]> {
  return page.evaluate(await readFile(new URL('page-contrast.js', import.meta.url), 'utf8'));
}

/** Where the middle of each part is on the width of `frame`, from 0 to 1. */
export async function places(parts: Locator, frame: Locator): Promise<readonly number[]> {
  const box = await frame.boundingBox();
  const boxes = await Promise.all((await parts.all()).map((part) => part.boundingBox()));
  return boxes.map((each) => ((each?.x ?? 0) + (each?.width ?? 0) / 2 - (box?.x ?? 0)) / (box?.width ?? 1));
}
