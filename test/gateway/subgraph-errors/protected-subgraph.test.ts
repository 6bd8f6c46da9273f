import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LINKS } from '../../conformance/support.js';
import {
  AUDIENCE,
  Cleanup,
  compose,
  listen,
  sendJson,
  startTestGateway,
  TestIssuer,
  TestSubgraph,
} from '../support.js';
import type { Answer, TestGateway } from '../support.js';
import { placed } from './support.js';

// Protected subgraphs decide again. The gateway reports their denials in its own words, at the client's selections.

const cleanup = new Cleanup();
let issuer: TestIssuer;
let gateway: TestGateway;

const HIDDEN = 'hidden-';

beforeAll(async () => {
  issuer = await TestIssuer.start();
  cleanup.add(() => issuer.close());
  const keys: object[] = [];
  const keySet = await listen((_request, response) => sendJson(response, 200, { keys }));
  cleanup.add(() => keySet.close());
  const trust = { issuer: 'https://gateway.example', jwksUri: `${keySet.url}/jwks` };
  const person = { code: `${HIDDEN}1`, name: 'Alma', owner: 'somebody else' };
  const parts = [
    await TestSubgraph.start(
      'one',
      trust,
      `${LINKS}
        type Query { person: Person people: [Person] letters: [Letter] }
        type Person @key(fields: "code") { code: ID @requiresScope(scope: "code") name: String }
        type Letter { text: String @requiresScope(scope: "letters") }`,
      {
        resolvers: {
          Query: { person: () => person, people: () => [person, person], letters: () => [{ text: 'x' }] },
        },
      },
    ),
    await TestSubgraph.start(
      'two',
      trust,
      `${LINKS}
        type Query { other: String }
        type Person @key(fields: "code") { code: ID @requiresScope(scope: "code") city: String }`,
      { resolvers: { Person: { __resolveReference: (each: object) => each, city: () => 'Graz' } } },
    ),
  ];
  for (const part of parts) cleanup.add(() => part.close());
  gateway = await startTestGateway(cleanup, compose(...parts), {
    issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
    propagation: { issuer: trust.issuer },
  });
  keys.push(...(await gateway.running.gateway.jwks()).keys);
});
afterAll(() => cleanup.run());

async function askWith(scope: string, query: string): Promise<Answer> {
  return gateway.ask(query, { token: await issuer.mint({ scope }) });
}

describe('a key that a protected subgraph denies', () => {
  it('joins for a caller who may read it', async () => {
    expect((await askWith('code', '{ person { name city } }')).body).toEqual({
      data: { person: { name: 'Alma', city: 'Graz' } },
    });
  });

  it.each([
    ['{ person { name city } }', ['person']],
    ['{ p: person { c: city } }', ['p']],
    ['{ people { name city } }', ['people.0', 'people.1']],
  ])('has its denial moved to the selection, and is not named: %s', async (query, at) => {
    const answer = await askWith('', query);
    const errors = answer.body.errors ?? [];
    for (const path of at) expect(errors.map(({ path: each }) => each?.join('.'))).toContain(path);
    expect(answer.text).not.toMatch(/hidden-|"code",|Person\.code|UNAUTHORIZED/);
    // The team's log names the field.
    expect(gateway.log.of('SUBGRAPH_ERROR')).toContainEqual(
      expect.objectContaining({
        subgraph: 'one',
        code: 'UNAUTHORIZED_FIELD_OR_TYPE',
        path: expect.stringContaining('code') as string,
      }),
    );
  });

  it('is denied once if it is also selected', async () => {
    const answer = await askWith('', '{ person { code name } }');
    expect(answer.body.data).toEqual({ person: { code: null, name: 'Alma' } });
    expect(placed(answer)).toEqual(['person.code UNAUTHORIZED_FIELD_OR_TYPE']);
    expect(answer.body.errors?.[0]?.extensions?.requires).toEqual({ scopes: [[['code']]] });
  });
});
