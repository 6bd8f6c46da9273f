import { DirectiveError } from '@behalf/directives';
import { compileMinimizer, FinishedValue } from '@behalf/directives/internal';
import type {
  Minimization,
  MinimizationContext,
  Minimizer,
  MinimizeStatement,
} from '@behalf/directives/internal';
import { isInterfaceType, isObjectType } from 'graphql';
import type { GraphQLSchema } from 'graphql';
import { ConfigurationError } from '../errors.js';
import type { MinimizedType } from '../supergraph/minimized-types.js';

/** A field whose values are minimized here. */
export interface CompiledField {
  readonly coordinate: string;
  readonly minimization: Minimization;
  /** @param statement of the minimization */
  minimize(statement: MinimizeStatement, value: unknown, context: MinimizationContext): unknown;
}

/** By coordinate. */
export type CompiledFields = ReadonlyMap<string, CompiledField>;

interface CompilationInput {
  readonly schema: GraphQLSchema;
  readonly types: ReadonlyMap<string, MinimizedType>;
  readonly pseudonymKey: Uint8Array | undefined;
  /** Coordinates by which subgraphs join objects. */
  readonly joining: ReadonlySet<string>;
  /** The path of the option, for errors. */
  readonly path: string;
  readonly onUnreadable: (coordinate: string) => void;
}

/**
 * Compiles the minimized fields of one subgraph.
 *
 * @throws {ConfigurationError} for what cannot be minimized here: without a key that a strategy needs, for a strategy that does not
 * fit the field's type in the supergraph, and for a field by which subgraphs join objects
 */
export function compileFields(input: CompilationInput): CompiledFields {
  const compiled = new Map<string, CompiledField>();
  for (const type of input.types.values()) {
    for (const [field, minimization] of type.fields) {
      const coordinate = `${type.name}.${field}`;
      if (minimization.statements.some(({ to }) => to === 'AGGREGATE'))
        throw new ConfigurationError(
          `${input.path}.minimizeAtGateway`,
          `cannot minimize ${coordinate}: the rows of a statistic reach no answer, so only the subgraph can count them`,
        );
      const leaves = minimization.statements.some(({ to }) => to !== 'KEEP');
      if (leaves && input.joining.has(coordinate))
        throw new ConfigurationError(
          `${input.path}.minimizeAtGateway`,
          `cannot minimize ${coordinate}: it is part of a @key, and other subgraphs would not find the object by what is left`,
        );
      compiled.set(coordinate, compileField(type.name, field, minimization, input));
    }
  }
  return compiled;
}

function compileField(
  typeName: string,
  fieldName: string,
  minimization: Minimization,
  { schema, pseudonymKey, path, onUnreadable }: CompilationInput,
): CompiledField {
  const coordinate = `${typeName}.${fieldName}`;
  const owner = schema.getType(typeName);
  const type = isObjectType(owner) || isInterfaceType(owner) ? owner.getFields()[fieldName]?.type : undefined;
  if (type === undefined) throw new Error(`${coordinate} is not in the schema that has its rule`);
  const minimizers = new Map<MinimizeStatement, Minimizer>();
  for (const statement of minimization.statements) {
    try {
      minimizers.set(
        statement,
        compileMinimizer({
          statement,
          // Pseudonyms and noise are those of a protected subgraph.
          coordinate: minimization.coordinate,
          type,
          pseudonymKey,
          onUnreadable: () => onUnreadable(coordinate),
        }),
      );
    } catch (error) {
      if (!(error instanceof DirectiveError)) throw error;
      const isKey = error.code === 'MISSING_PSEUDONYM_KEY';
      throw new ConfigurationError(
        `${path}.${isKey ? 'pseudonymKey' : 'minimizeAtGateway'}`,
        isKey ? `is missing: ${coordinate} is ${statement.to}` : error.message,
      );
    }
  }
  return {
    coordinate,
    minimization,
    minimize: (statement, value, context) => finished(minimizers.get(statement)?.(value, context) ?? null),
  };
}

/** As it is sent: the gateway does not serialize values a second time. */
function finished(value: unknown): unknown {
  if (Array.isArray(value)) return (value as readonly unknown[]).map(finished);
  return value instanceof FinishedValue ? value.output : value;
}
