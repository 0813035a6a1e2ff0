/** Asks to log in right behind the request for the login service, instead of after its answer: a round trip less on every hop. */
import type { Client } from 'ssh2';

type Accepted = (protocol: unknown, name: string) => void;

interface Protocol {
  service?: (name: string) => void;
  readonly _handlers?: { SERVICE_ACCEPT?: Accepted };
}

const LOGIN = 'ssh-userauth';

/**
 * ssh2 has no option for it: its protocol is told at once that the service was accepted, and not when that is heard. A
 * host that refuses the service ends the connection all the same (RFC 4253, 10). By then its key was judged.
 */
export function logInAhead(client: Client): void {
  const protocol = Reflect.get(client, '_protocol') as Protocol | undefined;
  const ask = protocol?.service;
  const handlers = protocol?._handlers;
  const accepted = handlers?.SERVICE_ACCEPT;
  if (!protocol || !ask || !handlers || !accepted) return;
  protocol.service = (name) => {
    ask.call(protocol, name);
    if (name !== LOGIN) return;
    handlers.SERVICE_ACCEPT = () => {};
    accepted(protocol, name);
  };
}
