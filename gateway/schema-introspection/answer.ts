import type { Delegation } from '@behalf/directives';
import { execute, printSchema } from 'graphql';
import type { DocumentNode, GraphQLSchema } from 'graphql';
import { withoutUndefined } from '@behalf/directives/internal';
import type { ExecutionOutcome, OperationAuthorizer } from '../authorize/index.js';
import { BYTES_PER_CHARACTER, ByteCache } from '../byte-cache.js';
import { schemaIntrospectionRefused } from './rule.js';
import type { SchemaIntrospectionRule } from './rule.js';
import { introspectableDocument, visibleSchema } from './visible-schema.js';

interface Visible {
  /** Absent for callers who can reach nothing. */
  readonly schema: GraphQLSchema | undefined;
}

interface SchemaIntrospectionOptions {
  readonly authorizer: OperationAuthorizer;
  readonly rule: SchemaIntrospectionRule;
  /** Estimated, for the schemas that callers see. */
  readonly cacheBytes: number;
}

/** The caller of an operation that introspects, as far as the answer depends on it. */
interface Introspection {
  readonly document: DocumentNode;
  readonly delegation: Delegation | undefined;
  readonly variables: Readonly<Record<string, unknown>>;
}

/**
 * Answers introspection: it is never planned, because subgraphs have no part in it and the planner does not know each of its
 * fields (`isOneOf`). One instance per supergraph version.
 */
export class SchemaIntrospection {
  #document: DocumentNode | undefined;
  #characters = 0;
  /** By decision, never by caller: callers who meet the same rules see the same. Each entry holds a schema. */
  readonly #visible: ByteCache<Visible>;

  readonly #authorizer: OperationAuthorizer;
  readonly #rule: SchemaIntrospectionRule;

  constructor({ authorizer, cacheBytes, rule }: SchemaIntrospectionOptions) {
    this.#authorizer = authorizer;
    this.#rule = rule;
    this.#visible = new ByteCache(cacheBytes);
  }

  /** Estimated size of the cache. */
  get bytes(): number {
    return this.#visible.bytes;
  }

  /**
   * The caller must be one who may introspect at all (see rule.ts).
   *
   * @throws {RefusedError} 403 `INTROSPECTION_DISABLED` if the caller can reach nothing
   */
  async answer(
    apiSchema: GraphQLSchema,
    { document, delegation, variables }: Introspection,
  ): Promise<ExecutionOutcome> {
    const schema = this.#rule === 'granted' ? this.#reachable(apiSchema, delegation) : apiSchema;
    if (schema === undefined) throw schemaIntrospectionRefused(403, delegation !== undefined);
    const { data, errors } = await execute({ schema, document, variableValues: variables });
    return withoutUndefined({ data, errors });
  }

  #reachable(apiSchema: GraphQLSchema, delegation: Delegation | undefined): GraphQLSchema | undefined {
    const grants = this.#authorizer.grants(delegation);
    const { key } = grants;
    let visible = this.#visible.get(key);
    if (visible === undefined) {
      const document = this.#introspectable(apiSchema);
      visible = { schema: visibleSchema(document, (type, field) => grants.isGranted(type, field)) };
      this.#visible.set(key, visible, this.#characters, BYTES_PER_CHARACTER.schema);
    }
    return visible.schema;
  }

  #introspectable(apiSchema: GraphQLSchema): DocumentNode {
    if (this.#document === undefined) {
      this.#characters = printSchema(apiSchema).length;
      this.#document = introspectableDocument(apiSchema);
    }
    return this.#document;
  }
}

/** Merges both parts of a response, in the client's order. A part that became null nulls the whole. */
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
  return withoutUndefined({
    extensions: data.extensions,
    data: parts.includes(null) ? null : joined,
    errors: errors.length === 0 ? undefined : errors,
  });
}
