/** The site ia.enso.4nkweb.com as gatepost installs it, for spoiled-nginx.ts. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { withOrigins } from '../../../lib/nginx/template.ts';
import { Secret } from '../../../lib/util/secret.ts';
import { clientFileText } from '../../lab/actors/client-files.ts';
import { type Configuration, filledIn, read, vhost } from './spoiled-nginx.ts';
import { DIR } from './trust.ts';

export const NAME = 'ia.enso.4nkweb.com';
/** The origin of pages that may use the gate from a browser. */
export const ORIGIN = 'https://chat.example.org';
export const TOKEN = new Secret('Full.Token+with*(every)[kind]{of}^sign|h?;#~%&=<>$host');
export const INFERENCE_TOKEN = new Secret('inference-0123456789abcdef');

/** Everything that the suite installs; both backends are on loopback. */
export const ollamaSite: Configuration = (folder) => {
  const maps = ['ia-enso-ollama-bearer', 'websocket-connection'].map((map) =>
    read(`http-maps/${map}.map.conf.example`),
  );
  return filledIn(withOrigins(`${maps.join('\n')}\n${vhost(NAME)}`, [ORIGIN]), {
    __IA_ENSO_BACKEND_IP__: '127.0.0.1',
    [`/etc/letsencrypt/live/${NAME}`]: folder,
    '/etc/nginx/ia-enso-bearers': `${DIR}/bearers`,
    '/etc/nginx/ia-enso-live': `${DIR}/live`,
  });
};

const DEFAULT = { name: 'default', scope: 'full', tokens: [TOKEN.reveal()] } as const;
const EDITOR = { name: 'editor', scope: 'inference', tokens: [INFERENCE_TOKEN.reveal()] } as const;

/** Writes both clients' files. */
export function writeClients(): void {
  for (const folder of ['bearers', 'live']) mkdirSync(`${DIR}/${folder}`, { recursive: true });
  for (const client of [DEFAULT, EDITOR]) {
    const { text, live } = clientFileText(client);
    writeFileSync(`${DIR}/bearers/${client.name}.map`, text);
    for (const name of live) writeFileSync(`${DIR}/live/${name}`, '');
  }
}
