import { buildProtectedSubgraph, finishProtectedRequest, protectedContext } from '@behalf/directives';
import type { FactsExtension } from '@behalf/directives';
import { graphql } from 'graphql';
import type { ExecutionResult } from 'graphql';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { CryptoKey, JWK } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';

const ISSUER = 'https://gateway.example';
const SUBGRAPH = 'people';

const typeDefs = /* GraphQL */ `
  extend schema
    @link(
      url: "https://specs.apollo.dev/federation/v2.9"
      import: ["@key", "@shareable", "@requiresScopes", { name: "@authenticated", as: "@signedIn" }]
    )
    @link(
      url: "https://specs.behalf.dev/behalf/v0.1"
      import: [
        { name: "@requiresScope", as: "@needs" }
        "@minimize"
        "@public"
        "@purpose"
        "@subject"
        "@personalData"
      ]
    )

  type Query {
    time: String @public
    me: Person @signedIn
    person(id: ID!): Person @signedIn
    people: [Person] @signedIn
    forgotten: String
    named: [Named] @signedIn
    secret: Secret @signedIn
  }

  interface Named {
    name: String @needs(scope: "name:read")
  }

  type Person implements Named @key(fields: "id") @subject(field: "id") {
    id: ID! @public
    name: String
    phone: String
      @needs(scope: "phone:read")
      @minimize(to: MASK, last: 2, showLength: true, unless: [["phone:full"]])
    both: String @needs(scope: "a") @needs(scope: "b")
    either: String @requiresScopes(scopes: [["a"], ["b"]])
    forCredit: Int @purpose(of: ["credit"])
    alias: String @signedIn @minimize(to: PSEUDONYMIZE)
  }

  type Robot implements Named @public {
    name: String
    model: String
  }

  type Secret @key(fields: "id") @needs(scope: "secret:read") {
    id: ID!
    text: String
  }
`;

interface PersonRow {
  id: string;
  name: string;
  phone: string;
  alias: string;
  both: string;
  either: string;
  forCredit: number;
}
const row = (id: string): PersonRow => ({
  id,
  name: `Name of ${id}`,
  phone: '+46 70 123 45 67',
  alias: id,
  both: 'both',
  either: 'either',
  forCredit: 1,
});
let secretsLoaded = 0;

let privateKey: CryptoKey;
let publicJwk: JWK;
let schema: ReturnType<typeof buildProtectedSubgraph>;

const base = {
  name: SUBGRAPH,
  typeDefs,
  resolvers: {
    Query: {
      time: () => 'now',
      me: () => Promise.resolve(row('p1')),
      person: (_: unknown, { id }: { id: string }) => row(id),
      people: () => [row('p1'), Promise.resolve(row('p2')), null],
      forgotten: () => 'there is no rule',
      named: () => [
        { __typename: 'Person', ...row('p1') },
        { __typename: 'Person', ...row('p2') },
        { __typename: 'Robot', name: 'Rob', model: 'R1' },
      ],
      secret: () => ({ id: 's1', text: 'hidden' }),
    },
    Person: { __resolveReference: ({ id }: { id: string }) => row(id) },
    Secret: {
      __resolveReference: ({ id }: { id: string }) => {
        secretsLoaded += 1;
        return { id, text: 'hidden' };
      },
    },
  },
  pseudonymKey: new Uint8Array(32).fill(7),
  log: () => undefined,
} as const;

interface TokenOptions {
  scope?: string;
  purposes?: string[];
  detail?: 'full' | 'minimal';
  aud?: string | string[];
  iss?: string;
  lifetimeSeconds?: number;
  issuedAtSeconds?: number;
  typ?: string;
  client?: string;
  key?: CryptoKey;
}

async function token(options: TokenOptions = {}): Promise<string> {
  const iat = options.issuedAtSeconds ?? Math.floor(Date.now() / 1000);
  return new SignJWT({
    txn: 't-1',
    scope: options.scope ?? '',
    req_wl: 'gateway',
    tctx: {
      consent: { id: 'c1', version: 1, purposes: options.purposes ?? [], detail: options.detail ?? 'full' },
    },
    rctx: { client_id: options.client ?? 'app' },
  })
    .setProtectedHeader({ alg: 'EdDSA', typ: options.typ ?? 'txntoken+jwt', kid: 'k1' })
    .setIssuer(options.iss ?? ISSUER)
    .setAudience(options.aud ?? SUBGRAPH)
    .setSubject('p1')
    .setIssuedAt(iat)
    .setExpirationTime(iat + (options.lifetimeSeconds ?? 15))
    .sign(options.key ?? privateKey);
}

async function ask(
  query: string,
  txnToken?: string,
  variables: Record<string, unknown> = {},
): Promise<ExecutionResult & { facts: FactsExtension | undefined }> {
  const contextValue = {
    ...(await protectedContext(schema, txnToken === undefined ? {} : { 'txn-token': txnToken })),
  };
  const result = await graphql({ schema, source: query, contextValue, variableValues: variables });
  return { ...result, facts: finishProtectedRequest(schema, contextValue) };
}

const codes = (result: ExecutionResult): unknown[] =>
  (result.errors ?? []).map((error) => [error.path?.join('.'), error.extensions.code]);

beforeAll(async () => {
  const pair = await generateKeyPair('EdDSA', { extractable: true });
  privateKey = pair.privateKey;
  publicJwk = { ...(await exportJWK(pair.publicKey)), kid: 'k1', alg: 'EdDSA' };
  schema = buildProtectedSubgraph({ ...base, gateway: { issuer: ISSUER, keys: [publicJwk] } });
});

describe('a caller without a valid transaction token', () => {
  it('sees only what is public', async () => {
    const result = await ask('{ time me { id } }');
    expect(result.data).toEqual({ time: 'now', me: null });
    expect(codes(result)).toEqual([['me', 'UNAUTHORIZED_FIELD_OR_TYPE']]);
    expect(result.facts).toEqual({ v: 1, refusedToken: 'TXN_TOKEN_MISSING' });
  });

  const attacks: Record<string, () => Promise<string>> = {
    'a forged signature': async () => token({ key: (await generateKeyPair('EdDSA')).privateKey }),
    'another audience': () => token({ aud: 'accounts' }),
    'a list of audiences': () => token({ aud: [SUBGRAPH, 'accounts'] }),
    'another issuer': () => token({ iss: 'https://evil.example' }),
    'an expired token': () => token({ issuedAtSeconds: Math.floor(Date.now() / 1000) - 120 }),
    'a token that claims a long life': () => token({ lifetimeSeconds: 3600 }),
    'an access token in its place (typ)': () => token({ typ: 'at+jwt' }),
    'alg none': async () => {
      const [, payload] = (await token()).split('.');
      return `${Buffer.from('{"alg":"none","typ":"txntoken+jwt"}').toString('base64url')}.${payload ?? ''}.`;
    },
    garbage: () => Promise.resolve('a.b.c'),
  };
  it.each(Object.keys(attacks))('%s', async (name) => {
    const forged = await attacks[name]?.();
    const result = await ask('{ me { id } }', forged);
    expect(result.data).toEqual({ me: null });
    expect(codes(result)).toEqual([['me', 'UNAUTHORIZED_FIELD_OR_TYPE']]);
  });

  it('gets nothing if the server forgot to create the context', async () => {
    for (const contextValue of [undefined, null, {}, { delegation: { scopes: new Set(['a']) } }]) {
      const result = await graphql({ schema, source: '{ me { id } }', contextValue });
      expect(result.data).toEqual({ me: null });
    }
  });
});

describe('field rules', () => {
  it('require all repeated scopes, and one of the alternatives', async () => {
    const query = '{ me { both either } }';
    expect((await ask(query, await token({ scope: 'a' }))).data).toEqual({
      me: { both: null, either: 'either' },
    });
    expect((await ask(query, await token({ scope: 'a b' }))).data).toEqual({
      me: { both: 'both', either: 'either' },
    });
    expect((await ask(query, await token())).data).toEqual({ me: { both: null, either: null } });
  });

  it('name what is required, never what is held', async () => {
    const result = await ask('{ me { both } }', await token({ scope: 'other' }));
    expect(result.errors?.[0]?.extensions).toEqual({
      code: 'UNAUTHORIZED_FIELD_OR_TYPE',
      coordinate: 'Person.both',
      requires: { authenticated: true, scopes: [[['a', 'b']]] },
    });
    expect(JSON.stringify(result)).not.toContain('other');
  });

  it('refuse a field without a rule', async () => {
    const result = await ask('{ forgotten }', await token());
    expect(result.data).toEqual({ forgotten: null });
    expect(result.errors?.[0]?.extensions.requires).toEqual({ rule: 'missing' });
  });

  it('decide by purpose', async () => {
    const query = '{ me { forCredit } }';
    expect((await ask(query, await token({ purposes: ['ads'] }))).data).toEqual({ me: { forCredit: null } });
    expect((await ask(query, await token({ purposes: ['credit'] }))).data).toEqual({ me: { forCredit: 1 } });
  });

  it('hold on implementers of an interface (CVE-2025-64530)', async () => {
    const query = '{ named { ... on Robot { model name } } }';
    const result = await ask(query, await token());
    expect(result.data).toEqual({ named: [{}, { model: 'R1', name: null }] });
    const held = await ask('{ named { name } }', await token({ scope: 'name:read' }));
    expect(held.data).toEqual({ named: [{ name: 'Name of p1' }, { name: 'Rob' }] });
  });
});

describe('_entities reached directly', () => {
  it('does not even load a type that is refused', async () => {
    const query = 'query ($r: [_Any!]!) { _entities(representations: $r) { ... on Secret { text } } }';
    const variables = { r: [{ __typename: 'Secret', id: 's1' }] };
    expect((await ask(query, undefined, variables)).data).toEqual({ _entities: [null] });
    expect((await ask(query, await token(), variables)).data).toEqual({ _entities: [null] });
    expect(secretsLoaded).toBe(0);
    const held = await ask(query, await token({ scope: 'secret:read' }), variables);
    expect(held.data).toEqual({ _entities: [{ text: 'hidden' }] });
  });
});

describe('@minimize', () => {
  it('masks without the fuller scope, and whenever the consent requires less detail', async () => {
    const query = '{ me { phone } }';
    const masked = { me: { phone: '+** ** *** ** 67' } };
    expect((await ask(query, await token({ scope: 'phone:read' }))).data).toEqual(masked);
    expect((await ask(query, await token({ scope: 'phone:read phone:full' }))).data).toEqual({
      me: { phone: '+46 70 123 45 67' },
    });
    expect(
      (await ask(query, await token({ scope: 'phone:read phone:full', detail: 'minimal' }))).data,
    ).toEqual(masked);
  });

  it('gives each client its own stable pseudonym', async () => {
    const alias = async (client: string): Promise<unknown> =>
      (await ask('{ me { alias } }', await token({ client }))).data?.me;
    expect(await alias('one')).toEqual(await alias('one'));
    expect(await alias('one')).not.toEqual(await alias('two'));
    expect(JSON.stringify(await alias('one'))).not.toContain('p1');
  });
});

describe('facts', () => {
  it('count each coordinate with its decision, and hold no value but whose rows they were', async () => {
    const { facts } = await ask('{ people { id phone both } }', await token({ scope: 'phone:read' }));
    expect(facts?.fields).toEqual([
      ['Query.people', 'allowed', 1, null, '@authenticated'],
      ['Query.people', 'denied', 1, null, '@subject'],
      ['Person.id', 'allowed', 1, null, '@authenticated'],
      ['Person.phone', 'minimized', 1, 'MASK', '@authenticated @requiresScopes(phone:read)'],
      ['Person.both', 'denied', 1, null, '@authenticated @requiresScopes(a & b)'],
    ]);
    expect(JSON.stringify(facts?.fields)).not.toMatch(/p1|123/);
    // Whose row it was.
    expect(facts).toMatchObject({ subjects: ['p1'] });
  });
});

it('CVE-2025-64347: rules hold under a federation prefix that @apollo/subgraph does not read', async () => {
  const schema = buildProtectedSubgraph({
    name: SUBGRAPH,
    typeDefs: `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", as: "fed", import: ["@key"])
      @link(url: "https://specs.behalf.dev/behalf/v0.1", as: "mine")
      scalar fed__Scope
      type Query {
        open: String @mine__public
        closed: String @fed__authenticated
        scoped: String @fed__requiresScopes(scopes: [["a"]])
        own: String @mine__requiresScope(scope: "a")
      }`,
    resolvers: {
      fed__Scope: undefined,
      Query: { open: () => 'o', closed: () => 'c', scoped: () => 's', own: () => 'w' },
    },
    gateway: { issuer: ISSUER, jwksUri: 'https://gateway.example/jwks' },
  });
  const { data } = await graphql({ schema, source: '{ open closed scoped own }' });
  expect(data).toEqual({ open: 'o', closed: null, scoped: null, own: null });
  const service = await graphql({ schema, source: '{ _service { sdl } }' });
  const { sdl } = (service.data as { _service: { sdl: string } })._service;
  expect(sdl).toContain('closed: String @federation__authenticated');
  expect(sdl).toContain('own: String @requiresScopes(scopes: [["a"]])');
  expect(sdl).not.toContain('fed__');
});
