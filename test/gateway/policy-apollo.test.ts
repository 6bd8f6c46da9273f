import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { checkPolicy, protectGateway } from '../../gateway/index.js';
import { ask, AUDIENCE, Cleanup, codes, compose, send, TestIssuer, TestSubgraph } from './support.js';

const cleanup = new Cleanup();
let issuer: TestIssuer;
let people: TestSubgraph;
let supergraph: string;

const entry = { sentence: 'See it', access: 'read', sensitivity: 'low' };
const policy = checkPolicy({
  scopes: { name: entry, email: entry, 'people:write': entry },
  purposes: { credit: { sentence: 'To lend' } },
  clients: { 'budget-app': { scopes: ['name'], rateClass: 'slow' } },
  rateClasses: { slow: { requests: 3, per: 'PT1H' } },
});

beforeAll(async () => {
  issuer = await TestIssuer.start();
  people = await TestSubgraph.start('people');
  for (const each of [issuer, people]) cleanup.add(() => each.close());
  supergraph = compose(people);
});
afterAll(() => cleanup.run());
beforeEach(() => {
  people.requests.length = 0;
});

/** An existing Apollo Server, with or without the context function that authenticates first. */
async function start(withContext: boolean): Promise<string> {
  const gateway = protectGateway(
    { supergraphSdl: supergraph },
    {
      issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
      propagation: { issuer: 'http://gateway.example' },
      policy,
    },
  );
  const apollo = new ApolloServer({
    gateway,
    allowBatchedHttpRequests: true,
    stopOnTerminationSignals: false,
  });
  const { url } = await startStandaloneServer(apollo, {
    listen: { port: 0, host: '127.0.0.1' },
    ...(withContext
      ? {
          context: ({ req }) =>
            gateway.context({ authorization: req.headersDistinct.authorization ?? [] }) as Promise<object>,
        }
      : {}),
  });
  cleanup.add(() => apollo.stop());
  return url;
}

const QUERY = '{ me { name email } }';

describe.each([
  ['with the context function', true],
  ['without a context function', false],
])('around an Apollo Server %s', (_, withContext) => {
  it('ceiling and rate limit hold', async () => {
    const url = await start(withContext);
    const token = await issuer.mint({ scope: 'name email' });
    for (let n = 0; n < 3; n++) {
      const answer = await ask(url, QUERY, { token });
      expect(answer.body.data).toEqual({ me: { name: 'Name of c-000001', email: null } });
    }
    const refused = await ask(url, QUERY, { token });
    expect(refused.status).toBe(429);
    expect(codes(refused)).toEqual(['RATE_LIMITED']);
    expect(refused.headers['retry-after']).toMatch(/^\d+$/);
    expect(people.requests).toHaveLength(3);
  });

  it('each operation of a batch meets the ceiling, and counts', async () => {
    const url = await start(withContext);
    const token = await issuer.mint({ scope: 'name email' });
    const batch = JSON.stringify(Array(5).fill({ query: QUERY }));
    const answer = await send(url, batch, {
      'content-type': 'application/json',
      authorization: `Bearer ${token}`,
    });
    const answers = answer.body as unknown as { data?: object; errors: { extensions: { code: string } }[] }[];
    const answered = answers.filter(({ data }) => data !== undefined);
    expect(answered.map(({ data }) => data)).toEqual(
      Array(3).fill({ me: { name: 'Name of c-000001', email: null } }),
    );
    const limited = answers.filter(({ errors }) => errors[0]?.extensions.code === 'RATE_LIMITED');
    expect(limited).toHaveLength(2);
    for (const { headers } of people.requests) {
      expect(decodeJwt<{ scope: string }>(String(headers['txn-token'])).scope).toBe('name');
    }
    expect(people.queries).not.toContain('email');
  });
});
