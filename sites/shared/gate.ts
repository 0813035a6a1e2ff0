/**
 * The bearer gate of a site. Its text (http-maps/ia-enso-ollama-bearer.map.conf.example, sites/snippets/gate*.conf) is
 * written once, with the names of ia.enso.4nkweb.com; another site's gate is the same text with its own names.
 */
import type { Gate, HttpMap } from '../../lib/model/site.ts';

/** What differs between two gates. */
export interface GateNames {
  /** The name of the site. */
  readonly site: string;
  /** Begins the names of its files and folders, and (with `_` instead of `-`) of its log format and named locations. */
  readonly name: string;
  /** Begins the names of its variables and zones. Default: as `name`. */
  readonly variables?: string;
  /** The path behind which the API is, such as `/ollama`; `/` for the root of the host. */
  readonly path: `/${string}`;
  /** What is behind it, for comments and messages. */
  readonly service: string;
  /** The paths below `path` that scope `inference` allows: alternatives of a regex that starts after the slash. */
  readonly inference: string;
  /** The same paths, for people: part of the message of the 403. */
  readonly inferencePaths: string;
}

/** The names in the text. */
export const WRITTEN: GateNames = {
  site: 'ia.enso.4nkweb.com',
  name: 'ia-enso',
  variables: 'ia_enso_ollama',
  path: '/ollama',
  service: 'Ollama',
  inference: 'v1/|api/(?:chat|generate|embed|embeddings|tags|show|ps|version)\\z',
  inferencePaths: '/v1/* and /api/{chat,generate,embed,embeddings,tags,show,ps,version}',
};

/** Requests per minute; each has a zone in the text. */
const LIMITS = [10, 60, 600] as const;

type Own = Pick<Gate, 'token' | 'inferenceToken' | 'origins' | 'models' | 'settings'>;

/** The gate of a site under its own names. */
export function gate(names: GateNames, own: Own): Gate {
  const { variables, folder } = textsOf(names);
  return {
    ...own,
    clients: `/etc/nginx/${names.name}-bearers`,
    path: folder.slice(0, -1) as Gate['path'],
    limits: Object.fromEntries(LIMITS.map((limit) => [limit, `${variables}_${limit}`])),
    log: `/var/log/nginx/${names.site}.access.log`,
    names: namesOf(names),
  };
}

/** The file with the variables and zones of a gate. */
export const gateMap = ({ name }: GateNames): HttpMap => ({
  source: 'ia-enso-ollama-bearer.map.conf.example',
  name: `${name}-http-maps.conf`,
  mode: '600',
  isGate: true,
});

/** Each text that is replaced, with what replaces it. */
function namesOf(names: GateNames): Readonly<Record<string, string>> {
  const [written, own] = [textsOf(WRITTEN), textsOf(names)];
  return Object.fromEntries(
    Object.entries(written).map(([key, text]) => [text, own[key as keyof typeof own]]),
  );
}

function textsOf({ site, name, path, service, inference, inferencePaths, ...rest }: GateNames) {
  const { variables = name.replaceAll('-', '_') } = rest;
  const folder = path.endsWith('/') ? path : `${path}/`;
  return {
    site,
    name,
    names: name.replaceAll('-', '_'),
    variables,
    folder,
    service,
    inference: `^${folder.replaceAll('.', '\\.')}(?:${inference})`,
    inferencePaths,
  };
}
