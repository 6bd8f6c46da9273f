import type { Delegation } from '@behalf/directives';
import { execute } from 'graphql';
import type { DocumentNode, GraphQLSchema } from 'graphql';
import { LRUCache } from 'lru-cache';
import type { ExecutionOutcome, OperationAuthorizer } from '../authorize/index.js';
import { introspectionRefused } from './rule.js';
import { introspectableDocument, visibleSchema } from './visible-schema.js';

/** Distinct decisions over a whole schema that are kept; each holds a schema. */
const MAX_SCHEMAS = 50;
const NONE = Symbol('no visible schema');

/** Answers introspection by what each caller can reach. One for each version of the supergraph. */
export class GrantedIntrospection {
  private document: DocumentNode | undefined;
  /** By decision, never by caller: who meets the same of the schema's rules sees the same. */
  private readonly schemas = new LRUCache<string, GraphQLSchema | typeof NONE>({ max: MAX_SCHEMAS });

  constructor(private readonly authorizer: OperationAuthorizer) {}

  /** @throws {RefusedError} 403 `INTROSPECTION_DISABLED` when the caller can reach nothing. */
  async answer(
    apiSchema: GraphQLSchema,
    introspection: DocumentNode,
    delegation: Delegation | undefined,
    variables: Readonly<Record<string, unknown>>,
  ): Promise<ExecutionOutcome> {
    const grants = this.authorizer.grants(delegation);
    const { key } = grants;
    let schema = this.schemas.get(key);
    if (schema === undefined) {
      this.document ??= introspectableDocument(apiSchema);
      schema = visibleSchema(this.document, (type, field) => grants.isGranted(type, field)) ?? NONE;
      this.schemas.set(key, schema);
    }
    if (schema === NONE) throw introspectionRefused(403, delegation !== undefined);
    const { data, errors } = await execute({ schema, document: introspection, variableValues: variables });
    return { ...(data === undefined ? {} : { data }), ...(errors === undefined ? {} : { errors }) };
  }
}

/** Both parts of an answer as one, in the client's order. A part that became null takes the whole with it. */
export function joinOutcomes(
  keys: readonly string[],
  introspection: ExecutionOutcome,
  data: ExecutionOutcome,
): ExecutionOutcome {
  const errors = [...(data.errors ?? []), ...(introspection.errors ?? [])];
  const parts = [introspection.data, data.data];
  if (parts.includes(undefined)) return { errors };
  // No prototype: `__proto__` is an ordinary response key (CVE-2026-32621).
  const joined = Object.create(null) as Record<string, unknown>;
  for (const key of keys) {
    for (const part of parts) if (part && Object.hasOwn(part, key)) joined[key] = part[key];
  }
  return {
    data: parts.includes(null) ? null : joined,
    ...(errors.length === 0 ? {} : { errors }),
  };
}
