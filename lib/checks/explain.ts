/** What a failed request means and what to do next, in words for the operator. */
import type { CheckTarget } from './check.ts';
import { codeOf } from './errors.ts';

const REACH =
  'Look whether nginx runs on the proxy, and whether the router and the firewall let this port through to it.';
const NAME =
  'Set the DNS record of the name to the public entry of the proxy; until then check by --via-ssh or --connect-to.';
const TRUST =
  'A bearer is sent only over a connection whose certificate holds: mend what the certificate check says first.';

const ADVICE: Readonly<Record<string, string>> = {
  ENOTFOUND: `The name is not in the DNS. ${NAME}`,
  EAI_AGAIN: 'The DNS server does not answer. Look at the network of this machine, then run it again.',
  ECONNREFUSED: `Nothing listens there. ${REACH}`,
  ETIMEDOUT: `Nothing came back. ${REACH}`,
  EHOSTUNREACH: `There is no way to that address. ${REACH}`,
  ENETUNREACH: `There is no way to that network. ${REACH}`,
  ECONNRESET: `The connection was cut. ${REACH} The error log of nginx may say why.`,
};

const LOOK = '`npx tsx scripts/status.ts` shows the address in force and asks the backend from the proxy.';
const STATUS: Readonly<Record<number, string>> = {
  413: 'The body is larger than nginx lets through: look at client_max_body_size.',
  429: 'The gate is slowing this address after many refused requests: wait two minutes and run it again.',
  500: 'The error log of nginx, or of the backend, says why.',
  502: `nginx could not reach the backend: the service is down, the backend's firewall does not let the proxy in, or the backend's address is wrong. ${LOOK}`,
  503: `Either nginx is limiting requests or the backend says that it is overloaded. ${LOOK}`,
  504: `The backend did not answer nginx in time: the machine is off, its firewall drops the proxy's packets, or the backend's address is wrong. ${LOOK}`,
};

/** One text for a failure: what happened, what it means, what to do next. */
export function explainError(error: unknown, target: CheckTarget): string {
  const code = codeOf(error);
  const what = error instanceof Error && error.message !== '' ? error.message : String(error);
  return `${sentence(what)} ${adviceFor(code, target)}`;
}

/** What an unexpected status means, where the status itself tells; otherwise `fallback`. */
export function explainStatus(status: number, fallback: string): string {
  return STATUS[status] ?? fallback;
}

function adviceFor(code: string, target: CheckTarget): string {
  if (/^(CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|ERR_TLS_CERT)/.test(code)) return TRUST;
  if (/^(EPROTO|ERR_SSL)/.test(code))
    return 'What answers there does not speak TLS as it should: look whether it is nginx, and whether its vhost says `listen … ssl`.';
  return ADVICE[code] ?? `Run it again; if it stays, ask ${target.serverName} by hand with curl -v.`;
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
