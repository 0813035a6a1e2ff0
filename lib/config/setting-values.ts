/** What settings say -> their values, each by its form. */
import type { Setting } from '../model/site.ts';

/** The value of every setting that is set or has a default; what is wrong goes to `problems`. */
export function readAll(
  known: Readonly<Record<string, Setting>>,
  given: Readonly<Record<string, string | undefined>>,
  problems: string[],
): Record<string, unknown> {
  const read: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(known)) {
    const text = given[name] ?? setting.default;
    if (text === undefined) continue;
    const value = setting.form.read(text);
    if (value === undefined) problems.push(problem(name, setting, text));
    else read[name] = value;
  }
  return read;
}

function problem(name: string, { form, meaning }: Setting, text: string): string {
  const wants = form.problem?.(text) ?? form.wants;
  const shown = form.secret ? '' : ` is ${JSON.stringify(text.slice(0, 80))};`;
  return `${name}:${shown} it must be ${wants} (${meaning})`;
}
