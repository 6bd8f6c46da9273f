import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { composeServices as composeWithApollo } from '@apollo/composition';
import { IntrospectAndCompose } from '@apollo/gateway';
import { buildProtectedSubgraph } from '@behalf/directives';
import { completeSubgraph, isMet, lowerRequiresScope, RuleTable } from '@behalf/directives/internal';
import { composeServices as composeWithTheGuild } from '@theguild/federation-composition';
import { graphql, parse, print, validateSchema } from 'graphql';
import type { GraphQLSchema } from 'graphql';
import { describe, expect, it } from 'vitest';
import { LINKS, testedSubgraph } from './support.js';

const SDL = {
  accounts: `${LINKS}
    type Query { account: Account @requiresScope(scope: "accounts:read") }
    type Account @key(fields: "id") {
      id: ID! @public
      balance: Int @requiresScope(scope: "accounts:read") @requiresScope(scope: "accounts:balance")
      iban: String @requiresScope(scope: "accounts:read") @minimize(to: MASK, last: 4, showLength: true) @minimize(level: "nothing", to: REDACT)
      purposeful: Int @purpose(of: ["credit"])
    }`,
  notes: `${LINKS}
    interface Written { text: String @requiresScope(scope: "notes:read") }
    type Query { note: Note @public }
    type Note implements Written @public { text: String account: Account }
    type Account @key(fields: "id") { id: ID! @public notes: Int @authenticated }`,
};

function protect(name: string, sdl: string): GraphQLSchema {
  return buildProtectedSubgraph({
    name,
    typeDefs: sdl,
    resolvers: {},
    gateway: { issuer: 'https://gateway.example', jwksUri: 'https://gateway.example/jwks' },
  });
}

async function serviceSdl(schema: GraphQLSchema): Promise<string> {
  const { data } = await graphql({ schema, source: '{ _service { sdl } }' });
  return (data as { _service: { sdl: string } })._service.sdl;
}

async function published(): Promise<{ name: string; url: string; sdl: string }[]> {
  return Promise.all(
    Object.entries(SDL).map(async ([name, sdl]) => ({
      name,
      url: `https://${name}.example`,
      sdl: await serviceSdl(protect(name, sdl)),
    })),
  );
}

/** A stock server over HTTP, which knows nothing of Behalf. */
async function serve(schema: GraphQLSchema): Promise<{ url: string; close: () => void }> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { query } = JSON.parse(Buffer.concat(chunks).toString()) as { query: string };
      void graphql({ schema, source: query }).then((result) => {
        response.setHeader('content-type', 'application/json').end(JSON.stringify(result));
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, close: () => server.close() };
}

const holder = (...scopes: string[]): Parameters<typeof isMet>[1] => ({
  subject: 'alma',
  clientId: 'app',
  scopes: new Set(scopes),
  policies: new Set(),
  roles: [],
});

function expectEveryRule(supergraphSdl: string): void {
  const rules = new RuleTable(parse(supergraphSdl), { coverage: 'open' });
  const permits = (field: string, ...scopes: string[]): boolean => {
    const [type = '', name = ''] = field.split('.');
    return isMet(rules.requirementOf(type, name), holder(...scopes));
  };
  expect(permits('Query.account')).toBe(false);
  expect(permits('Query.account', 'accounts:read')).toBe(true);
  expect(permits('Account.balance', 'accounts:read')).toBe(false);
  expect(permits('Account.balance', 'accounts:read', 'accounts:balance')).toBe(true);
  expect(permits('Account.purposeful', 'accounts:read')).toBe(false);
  expect(permits('Note.text')).toBe(false);
  expect(permits('Written.text')).toBe(false);
  expect(permits('Note.text', 'notes:read')).toBe(true);
  expect(isMet(rules.requirementOf('Account', 'notes'), undefined)).toBe(false);
  expect(rules.field('Account', 'iban')?.minimization?.statements).toEqual([
    { to: 'MASK', first: 0, last: 4, showLength: true, unless: [] },
    { level: 'nothing', to: 'REDACT', unless: [] },
  ]);
  expect(supergraphSdl).not.toMatch(/@requiresScope\(/);
}

describe('the SDL of protected subgraphs keeps every rule', () => {
  it('through IntrospectAndCompose, over HTTP and without a token', async () => {
    const servers = await Promise.all(
      Object.entries(SDL).map(async ([name, sdl]) => ({ name, ...(await serve(protect(name, sdl))) })),
    );
    try {
      const manager = new IntrospectAndCompose({
        subgraphs: servers.map(({ name, url }) => ({ name, url })),
      });
      const { supergraphSdl, cleanup } = await manager.initialize({
        update: () => undefined,
        healthCheck: () => Promise.resolve(),
        getDataSource: ({ url = '' }) => ({
          process: async ({ request }) => {
            const answer = await fetch(url, {
              method: 'POST',
              body: JSON.stringify({ query: request.query }),
            });
            return (await answer.json()) as { data: Record<string, unknown> };
          },
        }),
      });
      expectEveryRule(supergraphSdl);
      await cleanup();
    } finally {
      for (const { close } of servers) close();
    }
  });

  it('through @apollo/composition', async () => {
    const sources = (await published()).map(({ sdl, ...at }) => ({ ...at, typeDefs: parse(sdl) }));
    const { errors, supergraphSdl = '' } = composeWithApollo(sources);
    expect(errors ?? []).toEqual([]);
    expectEveryRule(supergraphSdl);
  });

  it('through @theguild/federation-composition', async () => {
    const sources = (await published()).map(({ sdl, ...at }) => ({ ...at, typeDefs: parse(sdl) }));
    const { errors, supergraphSdl = '' } = composeWithTheGuild(sources);
    expect(errors ?? []).toEqual([]);
    expectEveryRule(supergraphSdl);
  });
});

describe('lowering', () => {
  const lower = (sdl: string): ReturnType<typeof parse> => lowerRequiresScope(completeSubgraph(parse(sdl)));

  it.each(Object.entries(SDL))('twice changes nothing: %s', async (name, sdl) => {
    const once = lower(sdl);
    expect(lowerRequiresScope(once)).toBe(once);
    expect(completeSubgraph(once)).toBe(once);
    // A subgraph built from another's published SDL publishes the same rules.
    const again = await serviceSdl(protect(name, print(once)));
    expect(print(lower(again))).toBe(print(parse(again)));
  });

  it('puts the scopes of a type and its extensions on one of them', async () => {
    const sdl = `
      interface Named @requiresScope(scope: "n") { name: String }
      type Query { t: T @public }
      type T @requiresScope(scope: "a") @requiresScopes(scopes: [["x"], ["y"]]) { id: ID }
      extend type T implements Named @requiresScope(scope: "b") { name: String }`;
    const text = print(lower(LINKS + sdl));
    expect(text).toContain('type T @requiresScopes(scopes: [["x", "a", "n", "b"], ["y", "a", "n", "b"]])');
    expect(text).toContain('extend type T implements Named {');
    const subgraph = testedSubgraph(sdl, { Query: { t: () => ({ id: '1', name: 'Alma' }) } });
    expect(validateSchema(subgraph.schema)).toEqual([]);
    expect((await subgraph.ask('{ t { id name } }', { scope: 'a b n' })).data).toEqual({ t: null });
    expect((await subgraph.ask('{ t { id name } }', { scope: 'a b n y' })).data).toEqual({
      t: { id: '1', name: 'Alma' },
    });
  });

  it('imports @requiresScopes under its own name, even if applied by prefix', async () => {
    const sdl = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9")
      @link(url: "https://specs.behalf.dev/behalf/v0.1", import: ["@requiresScope"])
      type Query { a: Int @federation__requiresScopes(scopes: [["a"]]) b: Int @requiresScope(scope: "b") }`;
    const published = await serviceSdl(protect('a', sdl));
    expect(published).toContain('a: Int @requiresScopes(scopes: [["a"]])');
    expect(published).toContain('b: Int @requiresScopes(scopes: [["b"]])');
    for (const compose of [composeWithApollo, composeWithTheGuild]) {
      const { errors } = compose([{ name: 'a', url: 'https://a.example', typeDefs: parse(published) }]);
      expect(errors ?? []).toEqual([]);
    }
  });

  it('refuses a second @requiresScopes, which would be lost', () => {
    const twice =
      'type Query { a: Int @requiresScope(scope: "a") @requiresScopes(scopes: []) @requiresScopes(scopes: [[]]) }';
    expect(() => lower(LINKS + twice)).toThrow('Query.a: @requiresScopes is applied twice');
  });
});

describe('a subgraph whose rules composition would drop does not start', () => {
  it('without a federation link, which makes it Federation 1', () => {
    const sdl = `extend schema @link(url: "https://specs.behalf.dev/behalf/v0.1", import: ["@requiresScope"])
      type Query { a: Int @requiresScope(scope: "a") }`;
    expect(() => protect('a', sdl)).toThrow(
      expect.objectContaining({ code: 'FEDERATION_NOT_LINKED' }) as Error,
    );
  });

  it.each(['v2.0', 'v2.4', 'v1.0'])('with a federation older than @requiresScopes: %s', (version) => {
    const sdl = `extend schema @link(url: "https://specs.apollo.dev/federation/${version}")
      @link(url: "https://specs.behalf.dev/behalf/v0.1", import: ["@requiresScope"])
      type Query { a: Int @requiresScope(scope: "a") }`;
    expect(() => protect('a', sdl)).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED_SPECIFICATION' }) as Error,
    );
  });
});
