/** HTML as text: whatever a template takes in is escaped, unless it came out of a template itself. */

/** A piece of HTML that is safe to put between tags: made by `html`, or of a file of our own. */
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

/** A tag for templates. Attributes must stand in quotes; undefined gives nothing. */
export function html(texts: TemplateStringsArray, ...values: readonly Value[]): Html {
  return { html: texts.map((text, i) => `${text}${written(values[i])}`).join('') };
}

function written(value: Value): string {
  if (value === undefined) return '';
  if (typeof value !== 'object') return String(value).replace(/[&<>"']/g, (c) => ENTITIES[c] ?? '');
  return 'html' in value ? value.html : value.map(written).join('');
}
