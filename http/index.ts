export { AddressList, forwardedAddress, networkOf } from './addresses.js';
export { BodyError, type BodyErrorCode, type BodyLimits, readBody } from './body.js';
export { clientCertificate } from './client-certificate.js';
export { type CloseOptions, Connections } from './connections.js';
export { equalSecrets } from './constant-time.js';
export { type Listening, listen, ListenError } from './listen.js';
export { sendJson } from './send-json.js';
