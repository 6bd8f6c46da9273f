export { GrantedIntrospection, joinOutcomes } from './answer.js';
export { introspectionRefused, refuseIntrospection, type IntrospectionRule } from './rule.js';
export { splitIntrospection, type SplitOperation } from './split.js';
