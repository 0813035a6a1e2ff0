/** `openssl ca`, which can set a certificate's start and end dates. */

/** A configuration file for it; `caLines`: lines for the CA section. */
export const caConfig = (folder: string, ...caLines: readonly string[]): string => `[ca]
default_ca = lab
[lab]
${caLines.map((line) => `${line}\n`).join('')}database = ${folder}/index
new_certs_dir = ${folder}
rand_serial = yes
unique_subject = no
default_md = sha256
policy = any
copy_extensions = copy
[any]
commonName = supplied
`;

/** The date `days` from now, in openssl's format. */
const inDays = (days: number): string =>
  new Date(Date.now() + days * 86_400_000).toISOString().replace(/[-:T]|\.\d+/g, '');

/** Arguments for a validity period, in days from now. */
export const validityArgs = (from: number, to: number): readonly string[] => [
  '-startdate',
  inDays(from),
  '-enddate',
  inDays(to),
];
