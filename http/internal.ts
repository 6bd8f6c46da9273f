/** For Behalf's own packages only. Changes without notice, in any version. */
export { boundedFetch, FetchError, fetchJson } from './fetch-json.js';
export type { FetchBounds, FetchFailure } from './fetch-json.js';
export { answerStartingHealth, healthAnswer } from './health.js';
export type { Health } from './health.js';
export { aPort, aText, optionProblem } from './option-problem.js';
export type { OptionTest } from './option-problem.js';
export { LIVE_PATH, Readiness, READY_PATH, sendLive, sendReady } from './readiness.js';
export type { ReadinessChecks } from './readiness.js';
export { isEncodedText, requestTarget } from './request-target.js';
export type { RequestTarget } from './request-target.js';
export { Shutdown } from './shutdown.js';
export { DEFAULT_NOT_READY_MS, MAX_SHUTDOWN_MS, shutdownProblem } from './shutdown-options.js';
export { answerUnreadable } from './unreadable.js';
export type { UnreadableAnswers, UnreadableReason, UnreadableRequest } from './unreadable.js';
export { originsOf, targetOf } from './unread-head.js';
export { addressProblem, issuerProblem } from './trusted-address.js';
export type { AddressRules } from './trusted-address.js';
export { truncateAddress } from './truncate-address.js';
