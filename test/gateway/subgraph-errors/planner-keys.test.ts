import { parse } from 'graphql';
import type { OperationDefinitionNode } from 'graphql';
import { describe, expect, it } from 'vitest';
import { composeSupergraph } from '../../../gateway/compose/compose.js';
import { createOperationAuthorizer } from '../../../gateway/authorize/index.js';
import { SentOperation } from '../../../gateway/subgraph-errors/sent-operation.js';
import { readErrors } from '../../../gateway/subgraph-errors/subgraph-error.js';
import { people } from './support.js';

const authorizer = createOperationAuthorizer(
  composeSupergraph([{ name: 'people', url: 'http://people.example', sdl: people.sdl }]),
);

/** The client's errors for an error at a key that the planner added. */
function told(
  asked: string,
  sent: string,
  path: readonly (string | number)[],
  data: Record<string, unknown>,
) {
  const document = parse(asked);
  const operation = document.definitions[0] as OperationDefinitionNode;
  const reported = [{ message: 'quoted', path, extensions: { code: 'BAD_USER_INPUT' } }];
  const fetch = { subgraph: 'people', at: [], sent: new SentOperation(sent), entities: 0 };
  const errors = readErrors(reported, fetch, {}, false);
  const outcome = authorizer
    .authorize({ document, operation, queryHash: asked }, undefined, {})
    .complete({ data, errors });
  return (outcome.errors ?? []).map(({ message, path: at }) => ({ message, path: at }));
}

const REDACTED = 'Subgraph "people" reported an error';

describe('a key that the planner chose', () => {
  it('is the client’s, if the planner aliased the same field', () => {
    const data = { person: { name: null } };
    expect(
      told('{ person { name } }', '{ person { name__alias_0: name } }', ['person', 'name__alias_0'], data),
    ).toEqual([{ message: 'quoted', path: ['person', 'name'] }]);
  });

  it.each([
    ['{ person { name: taxNumber } }', 'name'],
    ['{ person { name__alias_0: taxNumber } }', 'name__alias_0'],
    ['{ person { name__alias_0__alias_0: name } }', 'name__alias_0__alias_0'],
  ])('is nobody’s if it holds another field: %s', (sent, key) => {
    expect(told('{ person { name } }', sent, ['person', key], { person: { name: 'Alma' } })).toEqual([
      { message: REDACTED, path: ['person'] },
    ]);
  });

  it('is the client’s own if a client uses the planner’s alias form', () => {
    const asked = '{ person { name__alias_0: name } }';
    expect(told(asked, asked, ['person', 'name__alias_0'], { person: { name__alias_0: null } })).toEqual([
      { message: 'quoted', path: ['person', 'name__alias_0'] },
    ]);
  });

  it('leads nowhere in an unreadable operation', () => {
    expect(
      told('{ person { name } }', '{ person {', ['person', 'name'], { person: { name: 'Alma' } }),
    ).toEqual([{ message: REDACTED, path: undefined }]);
  });
});
