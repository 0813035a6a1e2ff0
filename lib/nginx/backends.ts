/** Backends in the settings -> the vhost with their `server` lines, without the parts for omitted ones. */
import { NO_BACKEND, type Site } from '../model/site.ts';
import { uncommented } from './template.ts';

/**
 * A conditional part of a template: `# [NAME` (kept unless it is none), `# [no NAME`, `# [several NAME` (uncommented if
 * that is the case), then `# ]`.
 */
const PART = /^[ \t]*# \[(no |several )?([A-Z][A-Z_]*)\n(.*?)^[ \t]*# \]\n/gms;

/** A `server` line that gets only the first address. */
const FIRST_ONLY = /# the first$/;

/** `template` with the settings that replace backends; unchanged if none is set. */
export function withBackends(
  template: string,
  { backends = {} }: Pick<Site, 'backends'>,
  values: Readonly<Record<string, unknown>>,
): string {
  const given = Object.entries(backends).flatMap(([name, { text }]) => {
    const value = values[name];
    return typeof value === 'string' ? [{ name, text, addresses: value.split(',') }] : [];
  });
  return given.reduce((text, backend) => replaced(text, backend), template);
}

interface Given {
  readonly name: string;
  readonly text: string;
  readonly addresses: readonly string[];
}

function replaced(template: string, { name, text, addresses }: Given): string {
  const isNone = addresses[0] === NO_BACKEND;
  const parts = template.replace(PART, (part, when: string | undefined, of: string, body: string) => {
    if (of !== name) return part;
    if (when === 'several ') return addresses.length > 1 ? uncommented(body) : part;
    if (!isNone) return part;
    return when === 'no ' ? uncommented(body) : '';
  });
  if (isNone) return parts;
  const port = text.slice(text.lastIndexOf(':'));
  const whole = addresses.map((address) => (address.includes(':') ? address : `${address}${port}`));
  return parts
    .split('\n')
    .flatMap((line) => {
      if (!line.includes(text)) return [line];
      const ours = FIRST_ONLY.test(line) ? whole.slice(0, 1) : whole;
      return ours.map((address) => line.replace(text, () => address));
    })
    .join('\n');
}
