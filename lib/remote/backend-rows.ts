/** The rows of the backends -> their states, and what each reports of itself, as data. */
import { listIn, modelName } from '../checks/gate/models.ts';
import { fieldOf, jsonIn } from '../checks/http/json.ts';
import type { HostReport } from '../model/host-report.ts';
import { reportsOf, type Site } from '../model/site.ts';

/** A backend by an active `server` line, tried from the proxy. */
export interface BackendStatus {
  readonly address: string;
  readonly port: number;
  /** `open`, `closed`, `unreachable`, `silent` or `untested`. */
  readonly state: string;
  /** Of a machine that was asked for it; empty if it did not answer. */
  readonly version?: string;
  readonly models?: readonly Model[];
}

interface Model {
  readonly name: string;
  /** Differs where a name stands for different contents; empty if it is not reported. */
  readonly digest: string;
}

/** The backends, by port. */
export function backendsIn(
  { rows }: Pick<HostReport, 'rows'>,
  site: Pick<Site, 'backends'>,
): readonly BackendStatus[] {
  const bodies = new Map<string, string>();
  for (const [address, port, path, piece = ''] of rows.report ?? []) {
    const key = `${address}:${port}${path}`;
    bodies.set(key, (bodies.get(key) ?? '') + piece);
  }
  return (rows.backend ?? [])
    .map(([address = '', port = '', state = '']) => ({
      address,
      port: Number(port),
      state,
      ...reported(site, (path) => bodies.get(`${address}:${port}${path}`)),
    }))
    .sort((a, b) => a.port - b.port || a.address.localeCompare(b.address));
}

type BodyOf = (path: string) => string | undefined;

function reported(site: Pick<Site, 'backends'>, bodyOf: BodyOf): Partial<BackendStatus> {
  const reports = reportsOf(site);
  const body = reports && bodyOf(reports.version.path);
  if (!reports || body === undefined) return {};
  const version = fieldOf(jsonIn(body), reports.version.field);
  const models = listIn(bodyOf(reports.models) ?? '')?.map(modelOf);
  return {
    version: typeof version === 'string' ? version.slice(0, LENGTH) : '',
    ...(models && { models }),
  };
}

/** A backend may say anything. */
const LENGTH = 100;

function modelOf(model: unknown): Model {
  const digest = fieldOf(model, 'digest');
  return {
    name: modelName(model).slice(0, LENGTH),
    digest: typeof digest === 'string' ? digest.slice(0, 12) : '',
  };
}
