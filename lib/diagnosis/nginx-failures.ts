/** nginx's messages when it rejects a configuration, or does not serve it. */
import type { Row } from './row.ts';

/** The first match counts. */
export const NGINX: readonly Row[] = [
  {
    error: '(13: Permission denied) while connecting to upstream',
    cause:
      'SELinux on the proxy does not allow nginx to connect to backends, so every request ends with 502.',
    fix: 'On the proxy, as root: `setsebool -P httpd_can_network_connect 1`',
  },
  {
    error: 'cannot load certificate "…": BIO_new_file() failed',
    when: /cannot load certificate (key )?"[^"]*": BIO_new_file/,
    cause: 'The certificate or its key is missing on the proxy, or cannot be read.',
    fix: 'Request the first certificate with: `npx tsx scripts/bootstrap-tls.ts`',
  },
  {
    error: 'cannot load certificate "…": PEM_read_bio_X509_AUX() failed',
    when: /cannot load certificate|PEM_read_bio/,
    cause: 'The file exists but contains no certificate or key: it is empty, damaged or the wrong file.',
    fix: 'Inspect it (`openssl x509 -noout -subject -in FILE`), then request a new one: `npx tsx scripts/bootstrap-tls.ts --force-renewal`',
  },
  {
    error: 'key values mismatch',
    cause: 'The certificate and the private key on the proxy do not match.',
    fix: 'Compare both in /etc/letsencrypt/live/, then issue the certificate again: `npx tsx scripts/bootstrap-tls.ts --force-renewal`',
  },
  {
    error: 'conflicting server name',
    cause: 'Another vhost on this proxy already has this server_name; nginx would ignore the new one.',
    fix: 'Find it with: `grep -rn server_name /etc/nginx`. Remove or rename it, then deploy again.',
  },
  {
    error: 'a duplicate default server',
    cause:
      'Another vhost is already the default server of that port (on a stock Debian: sites-enabled/default).',
    fix: 'Remove the stock one (`rm /etc/nginx/sites-enabled/default`), remove default_server from the other vhost, or give this site a server name.',
  },
  {
    error: 'duplicate listen options',
    cause: 'Two vhosts set different options (backlog, reuseport, ipv6only) for the same address and port.',
    fix: 'Keep the options in one vhost and remove them from the others: `grep -rn listen /etc/nginx`',
  },
  {
    error: 'could not build map_hash',
    cause:
      'A string key of a map is too long for the hash buckets of nginx; a handwritten gate has such keys.',
    fix: 'Write the lines as http-maps/ describes them, or increase map_hash_bucket_size in nginx.conf.',
  },
  {
    error: 'could not build server_names_hash',
    cause: 'A server name, of this site or of another vhost, is too long for the hash buckets of nginx.',
    fix: 'Set `server_names_hash_bucket_size 128;` in the http block of nginx.conf (256 for a name over 110 characters), then deploy again.',
  },
  {
    error: '"map_hash_bucket_size" directive is duplicate',
    cause: 'map_hash_bucket_size is set twice, or after a map.',
    fix: 'Keep it once, at the top of the http block of nginx.conf.',
  },
  {
    error: 'duplicate "…" variable',
    when: /duplicate "[^"]*" variable/,
    cause:
      'A map or geo defines a built-in variable of nginx, or one that this build does not allow to be defined twice ($connection_upgrade).',
    fix: 'Find the definitions with: `grep -rn NAME /etc/nginx`. Keep one, or rename yours; gatepost does not install its own $connection_upgrade if another file defines it.',
  },
  {
    error: 'unknown "…" variable; zero size shared memory zone',
    when: /unknown "[^"]*" variable|zero size shared memory zone/,
    cause: 'The vhost is installed, but the file with its maps is missing or not included.',
    fix: 'Deploy the site again; or, manually, install the files of http-maps/ in /etc/nginx/conf.d/ as described in docs/proxy.md.',
  },
  {
    error: 'still could not bind(), and: port … is held by nginx itself',
    when: /is held by nginx itself/,
    cause:
      'nginx itself already listens on the port at one address: another vhost has `listen ADDRESS:PORT`, and a reload cannot open the same port on all addresses. nginx kept serving the old configuration.',
    fix: 'Find that line with: `nginx -T | grep "listen.*:PORT"`. Remove the address from it (`listen 443 ssl;`), restart nginx once (`systemctl restart nginx`; a reload is not enough), then deploy again.',
  },
  {
    error: 'still could not bind()',
    when: /still could not bind|\(98: Address already in use\)/,
    cause: 'Another process is using the port, so nginx kept serving the old configuration.',
    fix: 'The message names the process (so does `ss -ltnp`). Stop it or move it to another port, then deploy again. docker-proxy belongs to a container: `docker ps --filter publish=443` names it.',
  },
  {
    error: '[::]:… failed (97: Address family not supported; 99: Cannot assign requested address)',
    when: /\[[0-9a-f:]*\]:\d+ failed \((97|99):/,
    cause: 'A vhost listens on IPv6, which this host does not support.',
    fix: 'Remove the lines `listen [::]:…` from the vhost named in the message; gatepost omits them from its own vhosts on such a host: deploy again.',
  },
  {
    error: 'host not found in upstream',
    cause: 'A host name in an upstream does not resolve, which makes nginx reject the whole configuration.',
    fix: 'Use an IP address instead.',
  },
  {
    error: 'invalid port in upstream',
    cause: 'The port of a backend is not a number from 1 to 65535.',
    fix: 'Fix the server or proxy_pass line named in the message.',
  },
  {
    error: 'duplicate upstream "…"; duplicate "log_format" name; already bound to key',
    when: /duplicate upstream|duplicate "log_format"|is already bound to key/,
    cause:
      'nginx reads the same definition twice: an included folder contains a copy or an editor backup of a vhost, or another site uses that name.',
    fix: 'Find both with: `grep -rn NAME /etc/nginx`. Move the copy out of the folder, or rename one.',
  },
  {
    error: 'unknown directive "http2"',
    cause: 'The line `http2 on;` requires nginx 1.25.1 or later, and this nginx is older.',
    fix: 'Use `listen 443 ssl http2;` instead; gatepost writes the form that the proxy supports: deploy again.',
  },
  {
    error: 'unexpected end of file; unexpected "}"; not terminated by ";"; unknown directive',
    when: /unexpected (end of file|"[;{}]")|not terminated by ";"|unknown directive|invalid number of arguments|directive is not allowed here/,
    cause: 'A syntax error in an nginx file, or a directive of a module that this nginx does not have.',
    fix: 'Fix the line named in the message (for a template of gatepost: in sites/), then deploy again.',
  },
  {
    error: 'open() "…" failed (2: No such file or directory)',
    when: /open\(\) "[^"]*" failed \(2:/,
    cause:
      'A file that is included by name is missing; a pattern (*.conf) that matches nothing would not be an error.',
    fix: 'Restore the file, or remove its include line.',
  },
  {
    error: 'open() "/run/nginx.pid" failed (13: Permission denied)',
    when: /open\(\) "[^"]*" failed \(13:/,
    cause: '`nginx -t` was run by a user other than root; the configuration itself may be valid.',
    fix: 'Test it as root: `sudo nginx -t`',
  },
];
