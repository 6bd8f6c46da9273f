import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { protectGateway } from '../../gateway/index.js';
import {
  ask,
  AUDIENCE,
  Cleanup,
  compose,
  send,
  startTestGateway,
  TestIssuer,
  TestSubgraph,
} from './support.js';
import type { Answer, TestGateway } from './support.js';

const SDL = /* GraphQL */ `
  extend schema
    @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
    @link(
      url: "https://specs.behalf.dev/behalf/v0.1"
      import: ["@requiresScope", "@minimize", "@personalData"]
    )

  type Query {
    me: Person
    accounts: [Account!]
    found: [Found]
    named: [Named]
    open: String
  }

  type Person {
    birthDate: String
      @personalData(category: "birth")
      @minimize(level: "month", to: GENERALIZE, unit: MONTH)
      @minimize(to: GENERALIZE, unit: YEAR, unless: [["profile:identity"]])
      @minimize(level: "none", to: REDACT)
    secret: String @requiresScope(scope: "secret") @minimize(to: REDACT)
    best: Account
  }

  interface Named {
    name: String
  }

  type Account implements Named {
    iban: String @minimize(to: MASK, last: 4)
    name: String @minimize(to: REDACT)
    alias: String @minimize(to: PSEUDONYMIZE, readableWith: [["fraud"]])
  }

  type Shop implements Named {
    name: String
  }

  union Found = Account | Shop
`;
const account = (index: number) => ({
  __typename: 'Account',
  iban: `AT${index}`,
  name: 'Savings',
  alias: 'a',
});
const ROOT = {
  me: () => ({ birthDate: null, secret: 's', best: account(0) }),
  accounts: () => Array.from({ length: 30 }, (_, index) => account(index)),
  found: () => [account(1), { __typename: 'Shop', name: 'Kiosk' }, null],
  named: () => [{ __typename: 'Shop', name: 'Kiosk' }, account(2)],
  open: () => 'open',
};
const PATHS = { 'behalf-minimized': 'paths' };

const cleanup = new Cleanup();
let issuer: TestIssuer;
let subgraph: TestSubgraph;
let gateway: TestGateway;

type Config = Parameters<typeof startTestGateway>[2];

function start(more: Partial<Config> = {}): Promise<TestGateway> {
  return startTestGateway(cleanup, compose(subgraph), {
    issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
    ...more,
  });
}

beforeAll(async () => {
  issuer = await TestIssuer.start();
  subgraph = await TestSubgraph.start('people', undefined, SDL, { resolvers: { Query: ROOT } });
  for (const each of [issuer, subgraph]) cleanup.add(() => each.close());
  gateway = await start();
});
afterAll(() => cleanup.run());

interface Entry {
  readonly coordinate: string;
  readonly paths: readonly unknown[];
  readonly omittedPaths?: number;
  readonly liftedBy?: readonly unknown[];
}

function minimizedIn({ body }: Pick<Answer, 'body'>): readonly Entry[] | undefined {
  return (body.extensions as { readonly minimized?: readonly Entry[] } | undefined)?.minimized;
}

async function minimizedFor(
  query: string,
  claims: object = {},
  at = gateway,
): Promise<readonly Entry[] | undefined> {
  return minimizedIn(await at.ask(query, { token: await issuer.mint({ ...claims }), headers: PATHS }));
}

describe('extensions.minimized', () => {
  it('lists positions, strategy and what lifts it, whether or not there is a value', async () => {
    expect(await minimizedFor('{ me { born: birthDate best { iban } } open }')).toEqual([
      {
        coordinate: 'Person.birthDate',
        strategy: 'GENERALIZE',
        parameters: { unit: 'YEAR' },
        paths: [['me', 'born']],
        liftedBy: [['profile:identity']],
      },
      {
        coordinate: 'Account.iban',
        strategy: 'MASK',
        parameters: { last: 4 },
        paths: [['me', 'best', 'iban']],
      },
    ]);
  });

  it('is absent unless the client asks', async () => {
    for (const headers of [
      {},
      { 'behalf-minimized': 'path' },
      { 'behalf-minimized': 'all' },
      { 'behalf-minimized': '' },
    ])
      expect((await gateway.ask('{ me { birthDate } }', { headers })).body).not.toHaveProperty('extensions');
  });

  it.each(['PATHS', 'counts, paths', ' paths ,future'])('reads the header %j as a list', async (value) => {
    const answer = await gateway.ask('{ me { birthDate } }', { headers: { 'behalf-minimized': value } });
    expect(minimizedIn(answer)).toHaveLength(1);
    expect(answer.headers.vary).toBe('Behalf-Minimized');
  });

  it('is empty where nothing is minimized for the caller', async () => {
    expect(await minimizedFor('{ open me { birthDate } }', { scope: 'profile:identity' })).toEqual([]);
    expect(await minimizedFor('{ open }')).toEqual([]);
  });

  it('says the level in force, which no scope lifts', async () => {
    const consent = { id: 'c', version: 1, purposes: [], detail: 'full', levels: { birth: ['none'] } };
    expect(await minimizedFor('{ me { birthDate } }', { consent })).toEqual([
      { coordinate: 'Person.birthDate', strategy: 'REDACT', level: 'none', paths: [['me', 'birthDate']] },
    ]);
    expect(
      await minimizedFor('{ me { birthDate } }', {
        consent: { id: 'c', version: 1, purposes: [], detail: 'minimal' },
      }),
    ).toEqual([expect.not.objectContaining({ liftedBy: expect.anything() as unknown })]);
  });

  it('tells objects of an interface or a union apart by their type', async () => {
    const query =
      '{ found { ...A ... on Shop { name } } named { name } } fragment A on Account { name iban }';
    expect(await minimizedFor(query)).toMatchObject([
      {
        coordinate: 'Account.name',
        paths: [
          ['found', 0, 'name'],
          ['named', 1, 'name'],
        ],
      },
      { coordinate: 'Account.iban', paths: [['found', 0, 'iban']] },
    ]);
    const answer = await gateway.ask(query, { headers: PATHS });
    expect(answer.body.data).toEqual((await gateway.ask(query)).body.data);
  });

  it('leaves out what was denied, and keeps the positions beside it', async () => {
    const entries = await minimizedFor('{ me { secret birthDate } }');
    expect(entries?.map(({ coordinate }) => coordinate)).toEqual(['Person.birthDate']);
    const held = await minimizedFor('{ me { secret birthDate } }', { scope: 'secret' });
    expect(held?.map(({ coordinate }) => coordinate)).toEqual(['Person.secret', 'Person.birthDate']);
  });

  it('lists so many positions of a selection, and counts the others', async () => {
    const entries = await minimizedFor('{ accounts { iban other: iban } }');
    expect(entries).toMatchObject([{ coordinate: 'Account.iban', omittedPaths: 20 }]);
    expect(entries?.[0]?.paths).toHaveLength(40);
    expect(entries?.[0]?.paths.at(-1)).toEqual(['accounts', 19, 'other']);
    const small = await start({ authorization: { maxErrors: 3 } });
    const [ibans, names] = (await minimizedFor('{ accounts { iban name } }', {}, small)) ?? [];
    expect([ibans?.paths.length, names?.paths.length]).toEqual([2, 1]);
    expect([ibans?.omittedPaths, names?.omittedPaths]).toEqual([28, 29]);
  });

  it('never names the scopes that read pseudonyms', async () => {
    expect(await minimizedFor('{ me { best { alias } } }')).toEqual([
      { coordinate: 'Account.alias', strategy: 'PSEUDONYMIZE', paths: [['me', 'best', 'alias']] },
    ]);
  });

  it('stands beside introspection, and in each answer of a batch', async () => {
    expect(await minimizedFor('{ __schema { queryType { name } } me { birthDate } }')).toHaveLength(1);
    expect(await minimizedFor('{ __schema { queryType { name } } }')).toEqual([]);
    const batching = await start({ http: { batch: { maxOperations: 2 } } });
    const queries = [{ query: '{ open }' }, { query: '{ me { birthDate } }' }];
    const { body } = await send(`${batching.url}/graphql`, JSON.stringify(queries), {
      'content-type': 'application/json',
      ...PATHS,
    });
    const answers = body as unknown as Answer['body'][];
    expect(answers.map((answer) => minimizedIn({ body: answer })?.length)).toEqual([0, 1]);
  });

  it('is empty in shadow mode, which minimizes nothing', async () => {
    const shadow = await start({ authorization: { mode: 'shadow' } });
    expect(await minimizedFor('{ me { birthDate secret } }', {}, shadow)).toEqual([]);
  });

  it('is not in a refusal', async () => {
    const rejecting = await start({ authorization: { mode: 'reject' } });
    expect(await minimizedFor('{ me { birthDate secret } }', {}, rejecting)).toBeUndefined();
    expect(await minimizedFor('{ me { birthDate } }', {}, rejecting)).toHaveLength(1);
  });

  it('can be switched off', async () => {
    const silent = await start({ authorization: { minimizedPaths: false } });
    const answer = await silent.ask('{ me { birthDate } }', { headers: PATHS });
    expect(answer.body).not.toHaveProperty('extensions');
    expect(answer.headers).not.toHaveProperty('vary');
  });

  it('reaches clients of a custom Apollo Server', async () => {
    const own = protectGateway(
      { supergraphSdl: compose(subgraph) },
      {
        issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
        propagation: { issuer: 'http://gateway.example' },
        log: { level: 'error' },
      },
    );
    const apollo = new ApolloServer({ gateway: own, stopOnTerminationSignals: false });
    const { url } = await startStandaloneServer(apollo, { listen: { port: 0, host: '127.0.0.1' } });
    cleanup.add(() => apollo.stop());
    expect(minimizedIn(await ask(url, '{ me { birthDate } }', { headers: PATHS }))).toHaveLength(1);
    expect(minimizedIn(await ask(url, '{ me { birthDate } }'))).toBeUndefined();
  });
});
