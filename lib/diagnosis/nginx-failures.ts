/** What nginx says when it refuses a configuration, or does not serve it. */
import type { Row } from './row.ts';

/** The first that fits counts. */
export const NGINX: readonly Row[] = [
  {
    says: 'cannot load certificate "…": BIO_new_file() failed',
    when: /cannot load certificate (key )?"[^"]*": BIO_new_file/,
    means: 'The certificate or its key is missing on the proxy, or cannot be read.',
    next: 'Get the first one with: `npx tsx scripts/bootstrap-tls.ts`',
  },
  {
    says: 'cannot load certificate "…": PEM_read_bio_X509_AUX() failed',
    when: /cannot load certificate|PEM_read_bio/,
    means: 'The file is there and holds no certificate, or no key: it is empty, damaged or another file.',
    next: 'Look at it (`openssl x509 -noout -subject -in FILE`), then get a new one: `npx tsx scripts/bootstrap-tls.ts --force-renewal`',
  },
  {
    says: 'key values mismatch',
    means: 'The certificate and the private key on the proxy do not belong together.',
    next: 'Look at both below /etc/letsencrypt/live/, then issue the certificate again: `npx tsx scripts/bootstrap-tls.ts --force-renewal`',
  },
  {
    says: 'conflicting server name',
    means: 'Another vhost on this proxy already has our server name; nginx would let ours never serve.',
    next: 'Find it with: `grep -rn server_name /etc/nginx`. Remove or rename it, then deploy again.',
  },
  {
    says: 'a duplicate default server',
    means: 'Another vhost is already the default server of that port (stock Debian: sites-enabled/default).',
    next: 'Remove the stock one (`rm /etc/nginx/sites-enabled/default`), take default_server off the other vhost, or give this site a server name.',
  },
  {
    says: 'duplicate listen options',
    means: 'Two vhosts give the same address and port different options (backlog, reuseport, ipv6only).',
    next: 'Keep the options in one vhost and take them off the others: `grep -rn listen /etc/nginx`',
  },
  {
    says: 'could not build map_hash',
    means: "A string key of a map is longer than nginx's hash buckets; a gate made by hand has such keys.",
    next: 'Use regex keys as in http-maps/, or raise map_hash_bucket_size in nginx.conf.',
  },
  {
    says: '"map_hash_bucket_size" directive is duplicate',
    means: 'map_hash_bucket_size is set twice, or after a map.',
    next: 'Keep it once, at the top of the http block of nginx.conf.',
  },
  {
    says: 'duplicate "…" variable',
    when: /duplicate "[^"]*" variable/,
    means:
      'A map or geo defines a variable that nginx has itself, or that this build lets nobody define twice ($connection_upgrade).',
    next: 'Find the places with: `grep -rn NAME /etc/nginx`. Keep one, or rename yours; the suite leaves its own $connection_upgrade out where another file has one.',
  },
  {
    says: 'unknown "…" variable; zero size shared memory zone',
    when: /unknown "[^"]*" variable|zero size shared memory zone/,
    means: 'The vhost is there and the file with its maps is not, or it is not included.',
    next: 'Deploy the site again; by hand, install the files of http-maps/ into /etc/nginx/conf.d/ as docs/proxy.md shows.',
  },
  {
    says: 'still could not bind(), and: port … is held by nginx itself',
    when: /is held by nginx itself/,
    means:
      'nginx itself holds the port, at one address: another vhost has `listen ADDRESS:PORT`, and a reload cannot open the port at all addresses beside it. nginx kept serving the old configuration.',
    next: 'Find that line with: `nginx -T | grep "listen.*:PORT"`. Take its address off (`listen 443 ssl;`), restart nginx once (`systemctl restart nginx`; a reload is not enough), then deploy again.',
  },
  {
    says: 'still could not bind()',
    when: /still could not bind|\(98: Address already in use\)/,
    means: 'Another process holds the port, so nginx kept serving the old configuration.',
    next: 'The message names the process (`ss -ltnp` does, too). Stop it or move it to another port, then deploy again.',
  },
  {
    says: '[::]:… failed (97: Address family not supported; 99: Cannot assign requested address)',
    when: /\[[0-9a-f:]*\]:\d+ failed \((97|99):/,
    means: 'A vhost listens on IPv6, which this host does not have.',
    next: 'Take the lines `listen [::]:…` out of the vhost that is named; the suite leaves them out of its own on such a host: deploy again.',
  },
  {
    says: 'host not found in upstream',
    means: 'A name in an upstream does not resolve; nginx refuses the whole configuration for that.',
    next: 'Use an address in its place.',
  },
  {
    says: 'invalid port in upstream',
    means: 'The port of a backend is no number from 1 to 65535.',
    next: 'Mend the server or proxy_pass line that is named.',
  },
  {
    says: 'duplicate upstream "…"; duplicate "log_format" name; already bound to key',
    when: /duplicate upstream|duplicate "log_format"|is already bound to key/,
    means:
      'nginx reads the same thing twice: a copy or an editor’s backup of a vhost lies in an included folder, or another site has that name.',
    next: 'Find both with: `grep -rn NAME /etc/nginx`. Move the copy out of the folder, or rename one.',
  },
  {
    says: 'unknown directive "http2"',
    means: 'The line `http2 on;` needs nginx 1.25.1, and this one is older.',
    next: 'Write `listen 443 ssl http2;` instead; the suite writes the form that the proxy wants: deploy again.',
  },
  {
    says: 'unexpected end of file; unexpected "}"; not terminated by ";"; unknown directive',
    when: /unexpected (end of file|"[;{}]")|not terminated by ";"|unknown directive|invalid number of arguments|directive is not allowed here/,
    means: 'A slip of the pen in a file of nginx, or a directive of a module that this nginx does not have.',
    next: 'Mend the line that is named (a template of the suite: in sites/), then deploy again.',
  },
  {
    says: 'open() "…" failed (2: No such file or directory)',
    when: /open\(\) "[^"]*" failed \(2:/,
    means:
      'A file that is included by its name is missing; a pattern (*.conf) without any match would be no error.',
    next: 'Put the file back, or take its include line out.',
  },
  {
    says: 'open() "/run/nginx.pid" failed (13: Permission denied)',
    when: /open\(\) "[^"]*" failed \(13:/,
    means: '`nginx -t` was run by a user who is not root; the configuration itself may be fine.',
    next: 'Test it as root: `sudo nginx -t`',
  },
];
