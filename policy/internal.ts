/** Exports that only Behalf's own packages use. Internal: they change without notice, in any version. */
export { applyCeiling, type Ceiling, ceilingOf, type Held, isScopeAccepted } from './ceiling.js';
export { detailInForce, isAtStrictest, isCoordinate, levelsUpTo } from './detail.js';
export { isPolicy } from './is-policy.js';
export { longestConsentSeconds } from './longest.js';
export { mayGrant } from './roles.js';
export { shapeCheck, type ShapeProblem } from './shape.js';
export { type SignIn, stepUpOf, strictest, suffices } from './step-up.js';
export { fileErrors, parseYamlFile, readTextFile, requireKeys } from './text-file.js';
