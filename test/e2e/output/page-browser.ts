/** Opens a page of verify.ts in real Chromium, and returns what is visible. */
import { readFile } from 'node:fs/promises';
import { type Browser, chromium, type Locator, type Page } from 'playwright-core';

/** An open page, its requests, and its errors. */
export interface Opened {
  readonly page: Page;
  readonly requests: readonly string[];
  readonly errors: readonly string[];
}

/** Debian's Chromium; as root, it runs without a sandbox. */
export function startBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
}

/** Opens a file without a network, in light mode and 1280 px wide. */
export async function open(browser: Browser, file: string, { scripts = false } = {}): Promise<Opened> {
  const viewport = { width: 1280, height: 800 };
  const context = await browser.newContext({ viewport, javaScriptEnabled: scripts, offline: true });
  const page = await context.newPage();
  const [requests, errors]: [string[], string[]] = [[], []];
  page.on('request', (request) => requests.push(request.url()));
  page.on('console', (message) => errors.push(message.text()));
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('dialog', (dialog) => errors.push(dialog.message()));
  await page.goto(`file://${file}`);
  return { page, requests, errors };
}

/** The visible text of a part, one item per line. */
export async function visibleText(part: Locator): Promise<string> {
  return (await part.innerText()).replace(/\s*\n\s*/g, '\n');
}

/** Texts whose contrast with their background is below 4.5 to 1 (WCAG 2.2, 1.4.3). */
export async function lowContrastTexts(page: Page): Promise<readonly string[]> {
  return page.evaluate(await readFile(new URL('page-contrast.js', import.meta.url), 'utf8'));
}

/** The horizontal center of each part relative to `frame`, from 0 to 1. */
export async function centersOf(parts: Locator, frame: Locator): Promise<readonly number[]> {
  const box = await frame.boundingBox();
  const boxes = await Promise.all((await parts.all()).map((part) => part.boundingBox()));
  return boxes.map((each) => ((each?.x ?? 0) + (each?.width ?? 0) / 2 - (box?.x ?? 0)) / (box?.width ?? 1));
}
