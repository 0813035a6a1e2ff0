/** The rows of the backends -> their states, and what each reports of itself, as data. */
import { listIn, modelName } from '../checks/gate/models.ts';
import { fieldOf, jsonIn } from '../checks/http/json.ts';
import type { HostReport } from '../model/host-report.ts';
import { reportsOf, type Site } from '../model/site.ts';

/**
 * The backends of active `server` lines, as tried from the proxy, by port. The state is `open`, `closed`, `unreachable`, `silent`
 * or `untested`; the version is empty if a machine was asked for it and did not answer.
 */
export function backendsIn({ rows }: Pick<HostReport, 'rows'>, site: Pick<Site, 'backends'>) {
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

export type BackendStatus = ReturnType<typeof backendsIn>[number];

function reported(site: Pick<Site, 'backends'>, bodyOf: (path: string) => string | undefined) {
  const reports = reportsOf(site);
  const body = reports && bodyOf(reports.version.path);
  if (!reports || body === undefined) return undefined;
  const version = fieldOf(jsonIn(body), reports.version.field);
  const models = listIn(bodyOf(reports.models) ?? '')?.map(modelOf);
  return {
    version: typeof version === 'string' ? version.slice(0, LENGTH) : '',
    ...(models && { models }),
  };
}

/** A backend may say anything. */
const LENGTH = 100;

/** The digest differs where a name stands for different contents. */
function modelOf(model: unknown) {
  const digest = fieldOf(model, 'digest');
  return {
    name: modelName(model).slice(0, LENGTH),
    digest: typeof digest === 'string' ? digest.slice(0, 12) : '',
  };
}
