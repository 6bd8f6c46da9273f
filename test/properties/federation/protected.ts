import { buildProtectedSubgraph, protectedContext } from '@behalf/directives';
import type { Delegation } from '@behalf/directives';
import type { GraphQLSchema } from 'graphql';
import { SigningKeys } from '../../../gateway/propagate/signing-keys.js';
import { mintTxnToken } from '../../../gateway/propagate/txn-token.js';
import type { RunContext } from './data.js';
import { answer } from './real-gateway.js';
import type { Answering } from './real-gateway.js';
import type { World } from './world.js';

const ISSUER = 'https://gateway.example';

/** The subgraphs of a federation with their rules in force, and the gateway's tokens for them. */
export class ProtectedSubgraphs {
  readonly #schemas = new WeakMap<World, ReadonlyMap<string, GraphQLSchema>>();

  readonly #keys: SigningKeys;

  private constructor(keys: SigningKeys) {
    this.#keys = keys;
  }

  static async create(): Promise<ProtectedSubgraphs> {
    return new ProtectedSubgraphs(await SigningKeys.create());
  }

  of(world: World): ReadonlyMap<string, GraphQLSchema> {
    let schemas = this.#schemas.get(world);
    if (schemas === undefined) {
      schemas = new Map(
        world.parts.map(({ name, sdl, resolvers }) => [
          name,
          buildProtectedSubgraph({
            name,
            typeDefs: sdl,
            resolvers: resolvers as never,
            gateway: { issuer: ISSUER, keys: this.#keys.jwks().keys },
            coverage: 'open',
          }),
        ]),
      );
      this.#schemas.set(world, schemas);
    }
    return schemas;
  }

  /** What a request to one subgraph carries. */
  async context(world: World, graph: string, caller: Delegation | undefined): Promise<object> {
    const schema = this.of(world).get(graph);
    const vocabulary = world.authorizer.vocabularies.get(graph);
    if (schema === undefined || vocabulary === undefined) throw new Error(`no subgraph ${graph}`);
    if (caller === undefined) return protectedContext(schema, {});
    const notAfter = Math.floor(Date.now() / 1000) + 300;
    const token = mintTxnToken(
      this.#keys,
      { issuer: ISSUER },
      {
        delegation: caller,
        transactionId: 't',
        audience: graph,
        vocabulary: { ...vocabulary, roles: new Set() },
        notAfter,
      },
    );
    return protectedContext(schema, { 'txn-token': token });
  }

  answering(world: World, caller: Delegation | undefined): (context: RunContext) => Answering {
    return (context) => async (asked) => {
      const schema = this.of(world).get(asked.graph);
      if (schema === undefined) throw new Error(`no subgraph ${asked.graph}`);
      const contextValue = { ...context, ...(await this.context(world, asked.graph, caller)) };
      return answer(schema, asked, world.data.root, contextValue);
    };
  }
}
