/** The checks that a site is made of, and what runs them: the only door to `checks/`. */

export type {
  CertificateLife,
  Check,
  CheckResult,
  CheckStatus,
  CheckTarget,
  Finding,
  Issued,
  StreamTiming,
} from '../model/check.ts';
export { bearerGate, gateClients } from './gate/bearer-gate.ts';
export { bearerOpens, bearerRefused } from './gate/bearer-live.ts';
export { bypassAttempts } from './gate/bypass.ts';
export { inferenceScope } from './gate/scopes.ts';
export { runChecks } from './run-checks.ts';
export { certificate } from './tls/handshake.ts';
export { challengePath, httpRedirects } from './web/plain-http.ts';
export { closedPorts } from './web/ports.ts';
export { publicName } from './web/public-name.ts';
export { closed, reaches } from './web/routes.ts';
export { streams } from './web/streaming.ts';
export { webInterface } from './web/web-interface.ts';
export { webSocket } from './web/websocket.ts';
