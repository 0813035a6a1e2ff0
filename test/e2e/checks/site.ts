/** The site ia.enso.4nkweb.com as the suite installs it, for spoiled-nginx.ts. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { clientMap } from '../../../lib/nginx/client-map.ts';
import { Secret } from '../../../lib/util/secret.ts';
import { type Configuration, filledIn, read, vhost } from './spoiled-nginx.ts';
import { DIR } from './trust.ts';

export const NAME = 'ia.enso.4nkweb.com';
export const TOKEN = new Secret('Full.Token+with*(every)[kind]{of}^sign|h?;#~%&=<>$host');
export const INFERENCE_TOKEN = new Secret('inference-0123456789abcdef');

/** Whatever the suite installs; both backends are on loopback. */
export const ollamaSite: Configuration = (folder) => {
  const maps = ['ia-enso-ollama-bearer', 'websocket-connection'].map((map) =>
    read(`http-maps/${map}.map.conf.example`),
  );
  return filledIn(`${maps.join('\n')}\n${vhost(NAME)}`, {
    __IA_ENSO_BACKEND_IP__: '127.0.0.1',
    [`/etc/letsencrypt/live/${NAME}`]: folder,
    '/etc/nginx/ia-enso-bearers': `${DIR}/bearers`,
  });
};

const NOW = '2026-11-22T17:40:35Z';
const times = { created: NOW, rotated: NOW };

/** The file of the client `default`. */
export const bearerMap = (): string =>
  clientMap({ name: 'default', scope: 'full', ...times, tokens: [TOKEN] });

/** Writes the files of both clients. */
export function writeClients(): void {
  mkdirSync(`${DIR}/bearers`, { recursive: true });
  writeFileSync(`${DIR}/bearers/default.map`, bearerMap());
  const inference = { name: 'editor', scope: 'inference', ...times, tokens: [INFERENCE_TOKEN] } as const;
  writeFileSync(`${DIR}/bearers/editor.map`, clientMap(inference));
}
