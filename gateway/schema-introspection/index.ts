export { SchemaIntrospection, joinOutcomes } from './answer.js';
export {
  schemaIntrospectionRefused,
  refuseSchemaIntrospection,
  type SchemaIntrospectionRule,
} from './rule.js';
export { splitSchemaIntrospection, type SplitSchemaIntrospection } from './split.js';
