/** A copy of the project with a third site, by data alone, as the README's page says. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { copyProject, ROOT } from '../../lab/actors/project.ts';

export const WIKI = 'wiki.example.org';

/** Its vhost. */
export const VHOST = `# wiki.example.org: a wiki in the LAN.

upstream wiki {
    server __WIKI_BACKEND_IP__:3001;
}

server {
    listen 80;
    listen [::]:80;
    server_name wiki.example.org;

    include snippets/acme-challenge.conf;

    location / {
        return 301 https://$server_name$request_uri;
    }
}

server {
    listen 443 ssl http2;
    listen [::]:443 ssl http2;
    server_name wiki.example.org;

    ssl_certificate __CERTIFICATE__;
    ssl_certificate_key __CERTIFICATE_KEY__;
    include snippets/tls-intermediate.conf;

    location / {
        include snippets/forwarded-headers.conf;
        include snippets/websocket.conf;
        proxy_http_version 1.1;
        proxy_set_header Host $host;
        proxy_pass http://wiki;
    }
}
`;

/** The data of the site, as the README shows it. */
async function exampleOfReadme(): Promise<string> {
  const readme = await readFile(join(ROOT, 'README.md'), 'utf8');
  const [, example = ''] = /^ {3}```ts\n(.*?)^ {3}```$/ms.exec(readme) ?? [];
  return example.replace(/^ {3}/gm, '');
}

/** Copies the project into `directory` and adds the site. */
export async function copyWithWiki(directory: string): Promise<string> {
  const copy = await copyProject(directory);
  await writeFile(join(copy, `sites/${WIKI}.conf`), VHOST);
  await writeFile(join(copy, `sites/${WIKI}.ts`), await exampleOfReadme());
  return copy;
}
