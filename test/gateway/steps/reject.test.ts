import { GraphQLError } from 'graphql';
import { describe, expect, it } from 'vitest';
import type { Authorization, Denial } from '../../../gateway/authorize/index.js';
import type { AuthorizationMode } from '../../../gateway/options/protection-options.js';
import { reject, RejectedError, tellStepUps } from '../../../gateway/steps/reject.js';
import type { Authorized } from '../../../gateway/stages/stages.js';
import { authorized, decision, delegationOf, DENIAL, requestOf, standIn, tokenOf } from './support.js';

const TELLS = 'application/graphql-response+json';
const STEP_UP = { acrValues: ['mfa'], maxAgeSeconds: 300 };
const PAY: Denial = {
  ...DENIAL,
  coordinate: 'Mutation.pay',
  toldAs: 'Mutation.pay',
  requires: { scopes: [[['pay']]] },
};
/** Granted `pay`, which counts once the person has signed in with a second factor. */
const WITHHELD = tokenOf(delegationOf('a'), { withheld: new Map([['pay', STEP_UP]]) });
const TOKEN = tokenOf(delegationOf('a'));

function decided(denials: readonly Denial[], more: Partial<Authorization> = {}): Authorization {
  return decision({ denials, ...more });
}

const nothingLeft = (...denials: readonly Denial[]): Authorization =>
  decided(denials, { execute: undefined });

function run(stage: Authorized, mode: AuthorizationMode, accept?: string, maxErrors = 10): Authorized {
  const headers = new Map(accept === undefined ? [] : [['accept', accept]]);
  const request = requestOf('{ me other }', { request: { http: { headers } } });
  return reject(stage, request, { mode, schemaIntrospection: 'off', maxErrors, minimizedPaths: true });
}

function rejection(...args: Parameters<typeof run>): RejectedError {
  try {
    run(...args);
  } catch (error) {
    if (error instanceof RejectedError) return error;
    throw error;
  }
  throw new Error('it was not rejected');
}

const httpOf = ({ errors }: RejectedError): unknown => errors[0]?.extensions['http'];
const challenge = (status: number, value: string): object => ({
  status,
  headers: new Map([['www-authenticate', value]]),
});

describe('an operation with denials', () => {
  const some = authorized({ token: TOKEN, authorization: decided([DENIAL]) });
  const none = authorized({ token: TOKEN, authorization: nothingLeft(DENIAL) });

  it('goes on where something is left, and where the status is not how a client learns the outcome', () => {
    expect(run(some, 'filter', TELLS)).toBe(some);
    expect(run(none, 'filter')).toBe(none);
    expect(run(none, 'filter', 'application/json')).toBe(none);
    const request = requestOf('{ me }');
    const rules = { mode: 'filter', schemaIntrospection: 'off', maxErrors: 1, minimizedPaths: true } as const;
    expect(reject(none, request, rules)).toBe(none);
  });

  it('goes on in a batch, of which no single operation decides the status', () => {
    const batched = authorized({
      token: TOKEN,
      incoming: { isBatch: true },
      authorization: nothingLeft(DENIAL),
    });
    expect(run(batched, 'filter', TELLS)).toBe(batched);
    expect(httpOf(rejection(batched, 'reject', TELLS))).toEqual({ status: 200, headers: new Map() });
  });

  it('goes on where the schema is left', () => {
    const schema = authorized(
      { token: TOKEN, authorization: nothingLeft(DENIAL) },
      { schemaIntrospection: standIn({}) },
    );
    expect(run(schema, 'filter', TELLS)).toBe(schema);
  });

  it('goes on in shadow, and without denials in any mode', () => {
    expect(run(none, 'shadow', TELLS)).toBe(none);
    const granted = authorized({ token: TOKEN });
    expect(run(granted, 'reject', TELLS)).toBe(granted);
    const empty = authorized({ token: TOKEN, authorization: nothingLeft() });
    expect(run(empty, 'filter', TELLS)).toBe(empty);
  });

  it('is rejected as a whole when nothing is left, and the status tells so', () => {
    expect(httpOf(rejection(none, 'filter', TELLS))).toEqual(
      challenge(403, 'Bearer error="insufficient_scope", scope="me"'),
    );
  });

  it('is rejected for any denial in mode reject', () => {
    const error = rejection(some, 'reject', TELLS);
    expect(httpOf(error)).toEqual(challenge(403, 'Bearer error="insufficient_scope", scope="me"'));
    expect(error.message).toBe('rejected');
    expect(httpOf(rejection(some, 'reject'))).toEqual({ status: 200, headers: new Map() });
  });
});

describe('the errors of a rejected operation', () => {
  it('name each denied coordinate, without a stack, and share one status', () => {
    const { errors } = rejection(
      authorized({ token: TOKEN, authorization: decided([DENIAL, PAY]) }),
      'reject',
      TELLS,
    );
    expect(errors.map(({ extensions }) => extensions)).toMatchObject([
      { code: 'UNAUTHORIZED_FIELD_OR_TYPE', coordinate: 'Query.me', requires: DENIAL.requires },
      { code: 'UNAUTHORIZED_FIELD_OR_TYPE', coordinate: 'Mutation.pay', requires: PAY.requires },
    ]);
    expect(errors.map(({ stack }) => stack)).toEqual([undefined, undefined]);
    expect(new Set(errors.map(({ extensions }) => extensions['http'])).size).toBe(1);
  });

  it('name the argument for which a field is denied', () => {
    const denied = { ...PAY, toldAs: 'Mutation.pay(to:)' };
    const { errors } = rejection(
      authorized({ token: TOKEN, authorization: decided([denied]) }),
      'reject',
      TELLS,
    );
    expect(errors.map(({ extensions }) => extensions['coordinate'])).toEqual(['Mutation.pay(to:)']);
  });

  it('are counted beyond the number that an answer may have', () => {
    const denials = Array.from({ length: 5 }, () => DENIAL);
    const { errors } = rejection(authorized({ authorization: decided(denials) }), 'reject', TELLS, 2);
    expect(errors.map(({ extensions }) => extensions['code'])).toEqual([
      'UNAUTHORIZED_FIELD_OR_TYPE',
      'UNAUTHORIZED_FIELD_OR_TYPE',
      'ERRORS_OMITTED',
    ]);
    expect(errors[2]?.extensions).toMatchObject({ omittedErrors: 3, http: { status: 401 } });
  });
});

describe('the challenge of a rejected operation', () => {
  const STEP_UP_CHALLENGE =
    'Bearer error="insufficient_user_authentication", error_description="The person has to sign in again", acr_values="mfa", max_age="300"';
  const status = (
    token: typeof TOKEN | undefined,
    denials: readonly Denial[],
    mode: 'filter' | 'reject',
  ): unknown =>
    httpOf(
      rejection(
        authorized({ ...(token === undefined ? {} : { token }), authorization: nothingLeft(...denials) }),
        mode,
        TELLS,
      ),
    );

  it('asks nobody for a token (RFC 6750 section 3.1)', () => {
    expect(status(undefined, [DENIAL], 'filter')).toEqual(challenge(401, 'Bearer'));
  });

  it('asks for a sign-in that would end every denial (RFC 9470 section 3)', () => {
    expect(status(WITHHELD, [PAY], 'reject')).toEqual(challenge(401, STEP_UP_CHALLENGE));
    expect(status(WITHHELD, [PAY, DENIAL], 'reject')).toMatchObject({ status: 403 });
  });

  it('asks for a sign-in that would end one denial, where the rest is filtered', () => {
    expect(status(WITHHELD, [PAY, DENIAL], 'filter')).toEqual(challenge(401, STEP_UP_CHALLENGE));
    expect(status(WITHHELD, [DENIAL], 'filter')).toMatchObject({ status: 403 });
    expect(status(TOKEN, [PAY], 'filter')).toEqual(
      challenge(403, 'Bearer error="insufficient_scope", scope="pay"'),
    );
  });

  it('tells in the errors which denial it would end', () => {
    const stage = authorized({ token: WITHHELD, authorization: decided([PAY, DENIAL]) });
    expect(rejection(stage, 'reject', TELLS).errors.map(({ extensions }) => extensions['requires'])).toEqual([
      { ...PAY.requires, stepUp: STEP_UP },
      DENIAL.requires,
    ]);
  });
});

describe('the denials of an answer', () => {
  const denial = (code: string, coordinate: unknown): GraphQLError =>
    new GraphQLError('x', { extensions: { code, coordinate, requires: 'as it was' } });
  const told = (token: typeof TOKEN | undefined, error: GraphQLError): unknown => {
    const stage = authorized({
      ...(token === undefined ? {} : { token }),
      authorization: decided([PAY, DENIAL]),
    });
    const outcome = { data: null, errors: [error] };
    expect(tellStepUps(stage, outcome)).toBe(outcome);
    return error.extensions['requires'];
  };

  it('tell how to sign in, where that would end them', () => {
    expect(told(WITHHELD, denial('UNAUTHORIZED_FIELD_OR_TYPE', 'Mutation.pay'))).toEqual({
      ...PAY.requires,
      stepUp: STEP_UP,
    });
    expect(told(WITHHELD, denial('UNAUTHORIZED_FIELD_OR_TYPE', 'Query.me'))).toEqual(DENIAL.requires);
  });

  it('tell it for each of the fields that one argument is denied for', () => {
    const toldAs = 'Mutation.pay(to:)';
    const [one, other] = [PAY, DENIAL].map((denied) => ({ ...denied, toldAs }));
    const errors = [one, other].map(
      (denied) =>
        new GraphQLError('x', {
          extensions: { code: 'UNAUTHORIZED_FIELD_OR_TYPE', coordinate: toldAs, requires: denied?.requires },
        }),
    );
    const stage = authorized({ token: WITHHELD, authorization: decided([one ?? PAY, other ?? DENIAL]) });
    tellStepUps(stage, { data: null, errors });
    expect(errors.map(({ extensions }) => extensions['requires'])).toEqual([
      { ...PAY.requires, stepUp: STEP_UP },
      DENIAL.requires,
    ]);
  });

  it('stay as they are, where it is another error or nothing is withheld', () => {
    expect(told(WITHHELD, denial('OTHER', 'Mutation.pay'))).toBe('as it was');
    expect(told(WITHHELD, denial('UNAUTHORIZED_FIELD_OR_TYPE', 'Query.gone'))).toBe('as it was');
    expect(told(TOKEN, denial('UNAUTHORIZED_FIELD_OR_TYPE', 'Mutation.pay'))).toBe('as it was');
    expect(told(undefined, denial('UNAUTHORIZED_FIELD_OR_TYPE', 'Mutation.pay'))).toBe('as it was');
    const empty = tokenOf(delegationOf(), { withheld: new Map() });
    expect(told(empty, denial('UNAUTHORIZED_FIELD_OR_TYPE', 'Mutation.pay'))).toBe('as it was');
  });

  it('are none in an answer without errors', () => {
    const outcome = { data: {} };
    expect(tellStepUps(authorized({ token: WITHHELD }), outcome)).toBe(outcome);
  });
});
