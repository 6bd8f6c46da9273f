import { GraphQLError } from 'graphql';
import { describe, expect, it } from 'vitest';
import { InvalidVariablesError } from '../../../gateway/authorize/variables.js';
import { RefusedError } from '../../../gateway/errors.js';
import { refuse } from '../../../gateway/steps/refuse.js';
import { RejectedError } from '../../../gateway/steps/reject.js';
import type { Stage } from '../../../gateway/stages/stages.js';
import { authenticated, authorized, decision, DENIAL, Log, standIn } from './support.js';

const UNKNOWN = new RefusedError({
  code: 'OPERATION_RESOLUTION_FAILURE',
  message: 'unknown',
  status: 400,
  reason: 'WHY',
});
const INVALID = new RefusedError({ code: 'INVALID_TOKEN', message: 'invalid', status: 401 });
const UNAVAILABLE = new RefusedError({ code: 'AUDIT_UNAVAILABLE', message: 'not recorded', status: 503 });
const AUTHENTICATED = authenticated();
const INCOMING: Stage = {
  exchange: AUTHENTICATED.exchange,
  usage: AUTHENTICATED.usage,
  isAuthenticated: false,
};

async function run(error: unknown, stage: Stage, seal: () => void = () => undefined, hasSealed = false) {
  const sealed: unknown[][] = [];
  const challenged: unknown[][] = [];
  const log = new Log();
  const errors = await refuse(error, stage, {
    recorder: standIn({
      hasSealed: () => hasSealed,
      seal: async (...args: unknown[]) => {
        sealed.push(args);
        seal();
      },
    }),
    challenges: standIn({ complete: (...args: unknown[]) => void challenged.push(args) }),
    log,
  });
  return { errors, sealed, challenged, log };
}

const codesOf = (errors: readonly GraphQLError[]): unknown[] =>
  errors.map(({ extensions }) => extensions['code']);

describe('refuse', () => {
  it('answers with the refusal, records its reason, and completes its challenge', async () => {
    const { errors, sealed, challenged, log } = await run(UNKNOWN, AUTHENTICATED);
    expect(errors).toEqual([UNKNOWN]);
    expect(sealed).toEqual([[AUTHENTICATED, 'refused', 'WHY']]);
    expect(challenged).toEqual([[[UNKNOWN], AUTHENTICATED.exchange.incoming]]);
    expect(log.lines).toEqual([]);
  });

  it('records the code of a refusal without a reason, and that credentials were not good', async () => {
    const { errors, sealed } = await run(INVALID, INCOMING);
    expect(errors).toEqual([INVALID]);
    expect(sealed).toEqual([[INCOMING, 'authentication-failed', 'INVALID_TOKEN']]);
  });

  it('answers a rejected operation with each of its denials', async () => {
    const stage = authorized({ authorization: decision({ denials: [DENIAL, DENIAL] }) });
    const rejected = new RejectedError(stage, { tellsOutcome: true, mode: 'reject', maxErrors: 10 });
    const { errors, sealed, challenged } = await run(rejected, stage);
    expect(errors).toEqual(rejected.errors);
    expect(errors).toHaveLength(2);
    expect(sealed).toEqual([[stage, 'refused', 'UNAUTHORIZED_FIELD_OR_TYPE']]);
    expect(challenged[0]?.[0]).toBe(rejected.errors);
  });

  it('answers with each error of variables that cannot be used', async () => {
    const invalid = new InvalidVariablesError([new GraphQLError('one'), new GraphQLError('two')]);
    const { errors, sealed, log } = await run(invalid, AUTHENTICATED);
    expect(errors).toEqual(invalid.errors);
    expect(sealed).toEqual([[AUTHENTICATED, 'refused', 'OPERATION_INVALID']]);
    expect(log.lines).toEqual([]);
  });

  it('answers with an error even when there is none to answer with', async () => {
    const stage = authorized();
    const rejected = new RejectedError(stage, { tellsOutcome: true, mode: 'reject', maxErrors: 10 });
    expect(codesOf((await run(rejected, stage)).errors)).toEqual(['INTERNAL_SERVER_ERROR']);
  });
});

describe('refuse, for an error that nobody foresaw', () => {
  it('tells the client nothing of it, and logs where it was thrown', async () => {
    const { errors, sealed, challenged, log } = await run(
      new TypeError('a value of somebody'),
      AUTHENTICATED,
    );
    expect(codesOf(errors)).toEqual(['INTERNAL_SERVER_ERROR']);
    expect(challenged).toEqual([[errors, AUTHENTICATED.exchange.incoming]]);
    expect(sealed).toEqual([[AUTHENTICATED, 'failed', 'INTERNAL_SERVER_ERROR']]);
    expect(log.lines).toEqual([
      [
        'error',
        'INTERNAL_SERVER_ERROR',
        {
          transaction: AUTHENTICATED.exchange.transactionId,
          error: 'TypeError',
          stack: expect.stringContaining('refuse.test.ts') as string,
        },
      ],
    ]);
    expect(JSON.stringify([errors, log.lines])).not.toContain('somebody');
  });

  it('names what is not an error unknown', async () => {
    const { log } = await run('a value of somebody', AUTHENTICATED);
    expect(log.lines[0]?.[2]).toMatchObject({ error: 'unknown', stack: '' });
  });
});

describe('refuse, where the record fails', () => {
  it('answers that the access could not be recorded', async () => {
    const { errors, challenged } = await run(UNKNOWN, AUTHENTICATED, () => {
      throw UNAVAILABLE;
    });
    expect(errors).toEqual([UNAVAILABLE]);
    expect(challenged).toEqual([[[UNAVAILABLE], AUTHENTICATED.exchange.incoming]]);
  });

  it('makes no second record of an operation', async () => {
    const { errors, sealed } = await run(UNAVAILABLE, AUTHENTICATED, undefined, true);
    expect(errors).toEqual([UNAVAILABLE]);
    expect(sealed).toEqual([]);
  });
});
