import type { Delegation } from '@behalf/directives';
import { execute, printSchema } from 'graphql';
import type { DocumentNode, GraphQLSchema } from 'graphql';
import { withoutUndefined } from '@behalf/directives/internal';
import type { ExecutionOutcome, OperationAuthorizer } from '../authorize/index.js';
import { BYTES_PER_CHARACTER, ByteCache } from '../byte-cache.js';
import { schemaIntrospectionRefused } from './rule.js';
import { introspectableDocument, visibleSchema } from './visible-schema.js';

interface Visible {
  /** Absent for callers who can reach nothing. */
  readonly schema: GraphQLSchema | undefined;
}

/** Answers introspection by what each caller can reach. One instance per supergraph version. */
export class GrantedSchemaIntrospection {
  #document: DocumentNode | undefined;
  #characters = 0;
  /** By decision, never by caller: callers who meet the same rules see the same. Each entry holds a schema. */
  readonly #visible: ByteCache<Visible>;

  readonly #authorizer: OperationAuthorizer;

  /** @param cacheBytes estimated, for the schemas that callers see */
  constructor(authorizer: OperationAuthorizer, cacheBytes: number) {
    this.#authorizer = authorizer;
    this.#visible = new ByteCache(cacheBytes);
  }

  /** Estimated size of the cache. */
  get bytes(): number {
    return this.#visible.bytes;
  }

  /** @throws {RefusedError} 403 `INTROSPECTION_DISABLED` if the caller can reach nothing */
  async answer(
    apiSchema: GraphQLSchema,
    introspection: DocumentNode,
    delegation: Delegation | undefined,
    variables: Readonly<Record<string, unknown>>,
  ): Promise<ExecutionOutcome> {
    const grants = this.#authorizer.grants(delegation);
    const { key } = grants;
    let visible = this.#visible.get(key);
    if (visible === undefined) {
      const document = this.#introspectable(apiSchema);
      visible = { schema: visibleSchema(document, (type, field) => grants.isGranted(type, field)) };
      this.#visible.set(key, visible, this.#characters, BYTES_PER_CHARACTER.schema);
    }
    const { schema } = visible;
    if (schema === undefined) throw schemaIntrospectionRefused(403, delegation !== undefined);
    const { data, errors } = await execute({ schema, document: introspection, variableValues: variables });
    return withoutUndefined({ data, errors });
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
    data: parts.includes(null) ? null : joined,
    errors: errors.length === 0 ? undefined : errors,
  });
}
