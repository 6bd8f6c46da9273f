import { buildSubgraphSchema } from '@apollo/subgraph';
import { completeSubgraph, RuleTable } from '@behalf/directives/internal';
import fc from 'fast-check';
import { buildSchema, parse, printSchema } from 'graphql';
import type { GraphQLSchema } from 'graphql';
import { composeSupergraph } from '../../../gateway/compose/compose.js';
import { createOperationAuthorizer } from '../../../gateway/authorize/index.js';
import type { OperationAuthorizer } from '../../../gateway/authorize/index.js';
import { Choices } from './choices.js';
import { drawData, madeOf } from './data.js';
import type { Data, Row } from './data.js';
import { RealGateway } from './real-gateway.js';
import { drawRules, sdlOf } from './sdl.js';
import type { PlacedRules } from './sdl.js';
import { drawShape } from './shape.js';
import type { Shape } from './shape.js';

export interface Part {
  readonly name: string;
  readonly sdl: string;
  readonly resolvers: Record<string, Record<string, unknown>>;
  /** Without any protection. */
  readonly schema: GraphQLSchema;
}

/** One generated federation: composed, loaded by the real gateway, and served by executable schemas. */
export interface World {
  /** Reproduces it. */
  readonly seed: number;
  readonly [fc.toStringMethod]: () => string;
  readonly shape: Shape;
  readonly placed: PlacedRules;
  readonly parts: readonly Part[];
  readonly rules: RuleTable;
  readonly authorizer: OperationAuthorizer;
  /** The client schema, for plain graphql-js. */
  readonly merged: GraphQLSchema;
  readonly data: Data;
  readonly gateway: RealGateway;
}

export class Worlds {
  /** Did not compose. */
  refused = 0;

  /** @returns undefined if the drawn schemas do not compose. */
  async make(seed: number): Promise<World | undefined> {
    const choices = Choices.seeded(seed);
    const shape = drawShape(choices);
    const placed = drawRules(choices, shape);
    const data = drawData(choices, shape);
    const sources = shape.graphs.map((name) => ({
      name,
      url: `http://${name}.example`,
      sdl: sdlOf(shape, placed, name),
    }));
    let supergraph: string;
    try {
      supergraph = composeSupergraph(sources);
    } catch {
      this.refused += 1;
      return undefined;
    }
    const parts = sources.map(({ name, sdl }): Part => {
      const resolvers = resolversOf(shape, data, name);
      return {
        name,
        sdl,
        resolvers,
        schema: buildSubgraphSchema([
          { typeDefs: completeSubgraph(parse(sdl)), resolvers: resolvers as never },
        ]),
      };
    });
    const authorizer = createOperationAuthorizer(supergraph, {
      cacheBytes: 10_000_000,
      maxPathsPerSelection: 1_000_000,
    });
    const gateway = await RealGateway.load(authorizer.executableSdl);
    return {
      seed,
      [fc.toStringMethod]: () => `federation ${seed}`,
      shape,
      placed,
      parts,
      rules: new RuleTable(parse(supergraph), { coverage: 'open' }),
      authorizer,
      merged: buildSchema(printSchema(gateway.apiSchema)),
      data,
      gateway,
    };
  }
}

function resolversOf(shape: Shape, data: Data, graph: string): Record<string, Record<string, unknown>> {
  const resolvers: Record<string, Record<string, unknown>> = {};
  for (const type of shape.entities) {
    if (!shape.knows(graph, type)) continue;
    const own: Record<string, unknown> = {
      // A copy for each reference, with the given inputs.
      __resolveReference: (given: Row) => {
        const row = data.entity(type, given);
        return row === undefined ? null : (Object.create(row, { given: { value: given } }) as Row);
      },
    };
    for (const field of shape.types.get(type)?.values() ?? []) {
      const { requires } = field;
      if (requires === undefined || field.graphs.get(graph) !== 'own') continue;
      // If the object was not reached by reference, a `@provides` on the way to it has the inputs.
      own[field.name] = (row: Row) => madeOf(requires, String(row.id), (row.given ?? row) as Row);
    }
    resolvers[type] = own;
  }
  return resolvers;
}
