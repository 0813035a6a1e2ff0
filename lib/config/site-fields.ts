/** The fields of a site definition, and the problems of a definition. */
import type { CheckSpec } from '../model/check.ts';
import type { Gate, HttpMap, Setting, Site } from '../model/site.ts';
import { lookUp } from '../util/collections.ts';

type Test = (value: unknown) => boolean;

/** The test for a value, and the description of valid values. */
type Field = readonly [Test, string];
type Fields<T> = { readonly [K in keyof Required<T>]: Field };

const text: Test = (value) => typeof value === 'string' && value !== '';
const object: Test = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const matches =
  (form: RegExp): Test =>
  (value) =>
    typeof value === 'string' && form.test(value);
const optional = ([test, wants]: Field): Field => [(value) => value === undefined || test(value), wants];

const TEXT: Field = [text, 'a text'];
const FLAG: Field = [(value) => typeof value === 'boolean', 'true or false'];
const OBJECT: Field = [object, 'an object'];
const LIST: Field = [Array.isArray, 'a list'];
// The name of a folder in /var/lib/gatepost, which also has folders of the store.
const NAME: Field = [
  matches(/^(?!(?:runs|lock|reload-due)$)[a-z0-9][a-z0-9.-]*$/),
  'lower-case letters, digits, dots and hyphens, and not `runs`, `lock` or `reload-due`',
];
// The gate appends up to 12 characters, and PCRE allows 32 in a capture's name.
const NGINX_NAME: Field = [matches(/^[a-z][a-z0-9_]{0,19}$/), 'up to 20 lower-case letters, digits and `_`'];

const PREFIX = /^(?!(?:DEPLOY|DEPLOY_SSH|SSH|ACME|GATEPOST)$)[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*$/;

const SITE: Fields<Site> = {
  name: NAME,
  serverName: TEXT,
  nameFrom: optional(TEXT),
  defaultName: optional(TEXT),
  folder: optional(TEXT),
  prefix: [matches(PREFIX), 'upper-case letters, digits and `_`, and not the one of a setting for all sites'],
  proxy: optional(OBJECT),
  seed: optional(OBJECT),
  settings: OBJECT,
  backends: optional(OBJECT),
  maps: LIST,
  webSocket: FLAG,
  gate: optional(OBJECT),
  checkToken: optional(TEXT),
  certificate: optional(OBJECT),
  checks: LIST,
};

const GATE: Fields<Gate> = {
  token: TEXT,
  inferenceToken: optional(TEXT),
  origins: optional(TEXT),
  clients: [matches(/^\/etc\/nginx\/[\w.-]+$/), 'a folder in /etc/nginx'],
  live: [matches(/^\/etc\/nginx\/[\w.-]+$/), 'a folder in /etc/nginx'],
  path: [matches(/^(?:\/[\w.-]+)*$/), 'a path such as `/api`, empty for the root of the host'],
  models: [matches(/^\//), 'a path'],
  settings: LIST,
  limits: OBJECT,
  concurrent: LIST,
  log: [matches(/^\//), 'a path'],
  variables: NGINX_NAME,
  logFormat: NGINX_NAME,
  names: OBJECT,
};

const SETTING: Fields<Setting> = {
  form: [(value) => object(value) && 'read' in (value as object), 'one of lib/config/validators.ts'],
  default: optional(TEXT),
  required: optional(FLAG),
  unset: optional(TEXT),
  meaning: TEXT,
};

const MAP: Fields<HttpMap> = {
  source: [matches(/^[\w.-]+$/), 'the name of a file in http-maps/'],
  name: [matches(/^[\w.-]+\.conf$/), 'the name of a file that ends with .conf'],
  mode: [matches(/^6(?:00|44)$/), '600 or 644'],
  isGate: optional(FLAG),
};

const CHECK: Fields<CheckSpec> = { maker: TEXT, options: LIST };

interface FieldProblem {
  readonly field: string;
  readonly text: string;
}

/** All problems of a site definition; none if it is a `Site`. */
export function judgeSite(site: unknown): readonly FieldProblem[] {
  if (!object(site)) return [{ field: 'site', text: 'site: must be an object' }];
  const { gate, settings, maps, checks } = site as Record<string, unknown>;
  return [
    ...judge(site as object, SITE, ''),
    ...(object(gate) ? judge(gate as object, GATE, 'gate.') : []),
    ...entries(settings).flatMap(([name, value]) => judgeEntry(value, SETTING, `settings.${name}`)),
    ...list(maps).flatMap((map, i) => judgeEntry(map, MAP, `maps[${i}]`)),
    ...list(checks).flatMap((check, i) => judgeEntry(check, CHECK, `checks[${i}]`)),
  ];
}

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

const entries = (value: unknown): [string, unknown][] =>
  object(value) ? Object.entries(value as Record<string, unknown>) : [];

function judgeEntry<T>(value: unknown, fields: Fields<T>, where: string): readonly FieldProblem[] {
  if (object(value)) return judge(value as object, fields, `${where}.`);
  const wants = fields === (CHECK as object) ? 'a call of a function of lib/checks/catalog.ts' : 'an object';
  return [{ field: where, text: `${where}: must be ${wants}` }];
}

function judge<T>(value: object, fields: Fields<T>, where: string): readonly FieldProblem[] {
  const known = Object.entries<Field>(fields);
  return [
    ...Object.keys(value)
      .filter((field) => lookUp(fields as Record<string, Field>, field) === undefined)
      .map((field) => ({
        field,
        text: `${where}${field}: unknown field; there are: ${Object.keys(fields).join(', ')}`,
      })),
    ...known
      .filter(([field, [test]]) => !test((value as Record<string, unknown>)[field]))
      .map(([field, [, wants]]) => ({ field, text: `${where}${field}: must be ${wants}` })),
  ];
}
