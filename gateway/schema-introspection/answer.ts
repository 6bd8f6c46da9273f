import type { Delegation } from '@behalf/directives';
import { execute, printSchema } from 'graphql';
import type { DocumentNode, GraphQLSchema } from 'graphql';
import type { ExecutionOutcome, OperationAuthorizer } from '../authorize/index.js';
import { BYTES_PER_CHARACTER, ByteCache } from '../limit/byte-cache.js';
import { schemaIntrospectionRefused } from './rule.js';
import { introspectableDocument, visibleSchema } from './visible-schema.js';

interface Visible {
  /** Absent for callers who can reach nothing. */
  readonly schema: GraphQLSchema | undefined;
}

/** Answers introspection by what each caller can reach. One for each version of the supergraph. */
export class GrantedSchemaIntrospection {
  #document: DocumentNode | undefined;
  #characters = 0;
  /** By decision, never by caller: who meets the same of the schema's rules sees the same. Each holds a schema. */
  readonly #visible: ByteCache<Visible>;

  readonly #authorizer: OperationAuthorizer;

  /** @param cacheBytes For the schemas that callers see, estimated. */
  constructor(authorizer: OperationAuthorizer, cacheBytes: number) {
    this.#authorizer = authorizer;
    this.#visible = new ByteCache(cacheBytes);
  }

  /** What is kept, estimated. */
  get bytes(): number {
    return this.#visible.bytes;
  }

  /** @throws {RefusedError} 403 `INTROSPECTION_DISABLED` when the caller can reach nothing. */
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
    return { ...(data === undefined ? {} : { data }), ...(errors === undefined ? {} : { errors }) };
  }

  #introspectable(apiSchema: GraphQLSchema): DocumentNode {
    if (this.#document === undefined) {
      this.#characters = printSchema(apiSchema).length;
      this.#document = introspectableDocument(apiSchema);
    }
    return this.#document;
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
