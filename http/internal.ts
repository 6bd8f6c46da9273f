/** For Behalf's own packages only. Changes without notice, in any version. */
export { boundedFetch, FetchError, fetchJson } from './fetch-json.js';
export type { FetchBounds, FetchFailure } from './fetch-json.js';
export { LIVE_PATH, Readiness, READY_PATH, sendLive, sendReady } from './readiness.js';
export type { ReadinessChecks } from './readiness.js';
export { Shutdown } from './shutdown.js';
export { addressProblem } from './trusted-address.js';
export type { AddressRules } from './trusted-address.js';
