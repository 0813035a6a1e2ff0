/** Other ways to copy the same files to a proxy, through the same jump host. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Settings } from '../lib/config/settings.ts';
import { render } from '../lib/nginx/render.ts';
import { clientFileText } from '../test/lab/actors/client-files.ts';
import { TOKEN } from '../test/lab/actors/deploys.ts';
import { site } from '../test/lab/actors/programs.ts';
import { CHECKOUT } from '../test/lab/namespaces/process.ts';
import { command, type Host, type Lab } from './lab.ts';

/** The minimum that a deploy must do. */
const MINIMUM = 'cat >/dev/null; sudo -n nginx -t && sudo -n systemctl reload nginx';

const jump = ({ env }: Lab) => `ncantu@${env.DEPLOY_SSH_PROXY_HOST}:${env.DEPLOY_SSH_PROXY_PORT ?? 22}`;

/** Plain OpenSSH, one session: sends nothing and does not wait for the reload. */
export function openssh(lab: Lab, host: Host): Promise<string> {
  return command(lab, ['ssh', '-o', 'BatchMode=yes', '-J', jump(lab), `ncantu@${host.address}`, MINIMUM]);
}

/** A bash script with one connection per step. */
export function steps(lab: Lab, host: Host, files: string): Promise<string> {
  return command(lab, [
    'bash',
    `${CHECKOUT}/bench/rivals/steps.sh`,
    jump(lab),
    `ncantu@${host.address}`,
    files,
  ]);
}

/** Ansible with pipelining. Its connection ends with the run, as it would for runs an hour apart. */
export async function ansible(lab: Lab, host: Host, files: string): Promise<string> {
  const env = {
    ANSIBLE_HOME: join(lab.directory, 'ansible'),
    ANSIBLE_REMOTE_USER: 'ncantu',
    ANSIBLE_PIPELINING: '1',
    ANSIBLE_PYTHON_INTERPRETER: '/usr/bin/python3',
    ANSIBLE_SSH_CONTROL_PATH_DIR: files,
    ANSIBLE_SSH_ARGS: `-o ControlMaster=auto -o ControlPersist=5s -o ProxyJump=${jump(lab)}`,
  };
  const playbook = `${CHECKOUT}/bench/rivals/playbook.yml`;
  return command(lab, ['ansible-playbook', '-i', `${host.address},`, '-e', `files=${files}`, playbook], env);
}

/** Writes the site's files to a folder, for tools that do not render them; returns the folder. */
export async function renderToFolder(lab: Lab, name: string, backend: string): Promise<string> {
  const settings = { values: { IA_ENSO_BACKEND_IP: backend } } as unknown as Settings;
  const files = [
    ...(await render(site, settings)),
    {
      role: 'client',
      content: clientFileText({ name: 'default', scope: 'full', tokens: [TOKEN] }).text,
    },
  ];
  const folder = join(lab.directory, name);
  await mkdir(folder, { recursive: true });
  await Promise.all(files.map(({ role, content }) => writeFile(join(folder, role), content)));
  return folder;
}
