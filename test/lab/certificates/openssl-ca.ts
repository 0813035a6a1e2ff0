/** `openssl ca`, which can set the start and end of a certificate. */

/** Its configuration; `more` are lines for the CA itself. */
export const caConfig = (folder: string, ...more: readonly string[]): string => `[ca]
default_ca = lab
[lab]
${more.map((line) => `${line}\n`).join('')}database = ${folder}/index
new_certs_dir = ${folder}
rand_serial = yes
unique_subject = no
default_md = sha256
policy = any
copy_extensions = copy
[any]
commonName = supplied
`;

/** Today and so many days, as openssl writes it. */
const inDays = (days: number): string =>
  new Date(Date.now() + days * 86_400_000).toISOString().replace(/[-:T]|\.\d+/g, '');

/** The arguments of a life, by days from today. */
export const lifeArgs = (from: number, to: number): readonly string[] => [
  '-startdate',
  inDays(from),
  '-enddate',
  inDays(to),
];
