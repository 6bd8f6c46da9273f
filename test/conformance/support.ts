import type { ProtectedSubgraphOptions } from '@behalf/directives';
import { Kind, parse, TypeInfo, visit, visitWithTypeInfo } from 'graphql';
import { completeSubgraph } from '@behalf/directives/internal';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { withFederationNamespace } from '../../directives/src/specification/federation-namespace.js';
import type { GatewayConfig } from '../../gateway/index.js';
import {
  AUDIENCE,
  Cleanup,
  compose,
  startTestGateway,
  TestIssuer,
  TestSubgraph,
} from '../gateway/support.js';
import type { Answer, TestGateway } from '../gateway/support.js';

/** The link in every schema here. */
export const LINKS = /* GraphQL */ `
  extend schema
    @link(
      url: "https://specs.apollo.dev/federation/v2.9"
      import: [
        "@key"
        "@shareable"
        "@external"
        "@requires"
        "@provides"
        "@override"
        "@inaccessible"
        "@authenticated"
        "@requiresScopes"
        "@policy"
      ]
    )
    @link(
      url: "https://specs.behalf.dev/behalf/v0.1"
      import: ["@requiresScope", "@purpose", "@subject", "@minimize", "@public"]
    )
`;

export interface Part {
  readonly name: string;
  readonly sdl: string;
  readonly resolvers: ProtectedSubgraphOptions['resolvers'];
}

export interface Caller {
  /** Space-separated; undefined: no token at all. */
  readonly scopes?: string;
  readonly policies?: readonly string[];
  readonly variables?: Readonly<Record<string, unknown>>;
  readonly operationName?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Federation {
  readonly gateway: TestGateway;
  readonly subgraphs: ReadonlyMap<string, TestSubgraph>;
  readonly ask: (query: string, caller?: Caller) => Promise<Answer>;
  /** Coordinates requested from subgraphs since the last call, including `__typename` and entity keys. */
  readonly reached: () => string[];
  readonly close: () => Promise<void>;
}

/** Real subgraphs that protect nothing, by name. */
export async function startParts(
  parts: readonly Part[],
  cleanup: Cleanup,
): Promise<ReadonlyMap<string, TestSubgraph>> {
  const subgraphs = new Map<string, TestSubgraph>();
  for (const { name, sdl, resolvers } of parts) {
    const subgraph = await TestSubgraph.start(name, undefined, sdl, { resolvers });
    cleanup.add(() => subgraph.close());
    subgraphs.set(name, subgraph);
  }
  return subgraphs;
}

/** A real gateway over real subgraphs that protect nothing: whatever holds here, the gateway enforces. */
export async function federate(
  parts: readonly Part[],
  config: Partial<GatewayConfig> = {},
  edit: (supergraph: string) => string = (supergraph) => supergraph,
): Promise<Federation> {
  const cleanup = new Cleanup();
  const issuer = await TestIssuer.start();
  cleanup.add(() => issuer.close());
  const subgraphs = await startParts(parts, cleanup);
  const gateway = await startTestGateway(cleanup, edit(compose(...subgraphs.values())), {
    ...config,
    issuers: [{ issuer: issuer.url, audience: AUDIENCE, claims: { policies: 'policies' } }],
  });
  return {
    gateway,
    subgraphs,
    async ask(query, { scopes, policies, ...asking } = {}) {
      const hasToken = scopes !== undefined || policies !== undefined;
      const token = hasToken ? await issuer.mint({ scope: scopes ?? '', policies }) : undefined;
      return gateway.ask(query, { token, ...asking });
    },
    reached() {
      const coordinates = new Set<string>();
      for (const { name, sdl } of parts) {
        const requests = subgraphs.get(name)?.requests.splice(0) ?? [];
        for (const { query } of requests) for (const each of coordinatesOf(sdl, query)) coordinates.add(each);
      }
      return [...coordinates].sort();
    },
    close: () => cleanup.run(),
  };
}

function coordinatesOf(sdl: string, query: string): string[] {
  const info = new TypeInfo(buildSubgraphSchema(completeSubgraph(withFederationNamespace(parse(sdl)))));
  const coordinates: string[] = [];
  visit(
    parse(query),
    visitWithTypeInfo(info, {
      [Kind.FIELD]: {
        enter(node) {
          coordinates.push(`${info.getParentType()?.name ?? '?'}.${node.name.value}`);
        },
      },
    }),
  );
  return coordinates;
}

/** `path coordinate` of each error. */
export function denials(answer: Answer): string[] {
  return (answer.body.errors ?? []).map(
    ({ path, extensions }) => `${(path ?? []).join('.')} ${String(extensions?.coordinate)}`,
  );
}
