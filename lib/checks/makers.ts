/** The functions that create the checks that a site can list. */
export { bearerGate } from './gate/bearer-gate.ts';
export { bypassAttempts } from './gate/bypass.ts';
export { cloudAccount } from './gate/cloud-account.ts';
export { crossOrigin } from './gate/cross-origin.ts';
export { inferenceScope } from './gate/scopes.ts';
export { certificate } from './tls/handshake.ts';
export { otherNames } from './web/other-names.ts';
export { challengePath, httpRedirects } from './web/plain-http.ts';
export { closedPorts } from './web/ports.ts';
export { publicName } from './web/public-name.ts';
export { closed, reaches } from './web/routes.ts';
export { streams } from './web/streaming.ts';
export { webInterface } from './web/web-interface.ts';
export { webSocket } from './web/websocket.ts';
