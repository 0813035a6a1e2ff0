/**
 * A stand-in for Dropbear before 2020.79, which Debian no longer has: it announces no signature algorithms (RFC 8308).
 */
import { readFileSync } from 'node:fs';
import ssh2, { type ServerConfig } from 'ssh2';

/**
 * Listens on loopback with this host key; returns the port. Accepts only logins with method `none`, if `acceptsNone`.
 */
export async function startOldServer(
  hostKey: string,
  { acceptsNone = false, ...other }: Partial<ServerConfig> & { acceptsNone?: boolean } = {},
): Promise<number> {
  const config: ServerConfig = { hostKeys: [readFileSync(hostKey)], ident: 'dropbear_2019.78', ...other };
  const server = new ssh2.Server(config, (client) => {
    announceNothing(Reflect.get(client, '_protocol'));
    client
      .on('error', () => {})
      .on('authentication', (context) => {
        if (acceptsNone && context.method === 'none') context.accept();
        else context.reject(['publickey']);
      });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  (server as unknown as { unref(): void }).unref();
  return (server.address() as { port: number }).port;
}

/** ssh2 has no option for this. */
function announceNothing(protocol: object): void {
  let exchange: object | undefined = Reflect.get(protocol, '_kex');
  Object.defineProperty(protocol, '_kex', {
    get: () => exchange,
    set: (made: object | undefined) => {
      exchange = made;
      if (made) Object.defineProperty(made, 'remoteExtInfoEnabled', { get: () => false, set: () => {} });
    },
  });
}
