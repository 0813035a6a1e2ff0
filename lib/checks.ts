/** The checks that a site is made of, and what runs them: the only door to `checks/`. */

export { challengePath } from './checks/challenge-path.ts';
export type {
  CertificateLife,
  Check,
  CheckResult,
  CheckStatus,
  CheckTarget,
  Finding,
  Issued,
  StreamTiming,
} from './checks/check.ts';
export { publicName } from './checks/dns.ts';
export { bearerGate, gateClients } from './checks/gate.ts';
export { closedPorts } from './checks/ports.ts';
export { httpRedirects } from './checks/redirect.ts';
export { bearerOpens, bearerRefused } from './checks/rotation.ts';
export { closed, reaches } from './checks/routes.ts';
export { runChecks } from './checks/run.ts';
export { inferenceScope } from './checks/scopes.ts';
export { spellings } from './checks/spellings.ts';
export { streams } from './checks/streaming.ts';
export { certificate } from './checks/tls.ts';
export { webInterface } from './checks/web-interface.ts';
export { webSocket } from './checks/websocket.ts';
