/** HTML templates: every value is escaped, unless it was produced by a template. */

/** HTML that is safe to insert between tags: produced by `html`, or read from a file of gatepost. */
export interface Html {
  readonly html: string;
}

type Value = Html | readonly Html[] | string | number | undefined;

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** A template tag. Attributes must be quoted; undefined produces nothing. */
export function html(texts: TemplateStringsArray, ...values: readonly Value[]): Html {
  return { html: texts.map((text, i) => `${text}${rendered(values[i])}`).join('') };
}

function rendered(value: Value): string {
  if (value === undefined) return '';
  if (typeof value !== 'object') return String(value).replace(/[&<>"']/g, (c) => ENTITIES[c] ?? '');
  return 'html' in value ? value.html : value.map(rendered).join('');
}
