export { CostModel } from './cost-model.js';
export { DEFAULT_LIMITS, limitError, type OperationLimits } from './limits.js';
export { OperationLimiter } from './limiter.js';
export { RequestLimits, type LimitSettings } from './request-limits.js';
export { DocumentStore } from './document-store.js';
