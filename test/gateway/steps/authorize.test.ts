import type { Delegation } from '@behalf/directives';
import { describe, expect, it } from 'vitest';
import type { ClientOperation } from '../../../gateway/authorize/index.js';
import { InvalidVariablesError } from '../../../gateway/authorize/variables.js';
import { authorize } from '../../../gateway/steps/authorize.js';
import type { AuthorizationRules } from '../../../gateway/steps/authorize.js';
import type { Authorized } from '../../../gateway/stages/stages.js';
import { decision, delegationOf, prepared, refusalOf, requestOf, standIn, tokenOf } from './support.js';

const TOKEN = tokenOf(delegationOf('a'));
const ANSWERED = delegationOf('a', 'answered');
const DECISION = decision();

/** What the decision was asked with. */
interface Asked {
  readonly policies: unknown[];
  readonly operations: (readonly [ClientOperation, Delegation | undefined, unknown])[];
}

interface Run {
  readonly rules?: Partial<AuthorizationRules>;
  readonly token?: typeof TOKEN | undefined;
  readonly variables?: unknown;
}

async function run(
  text: string,
  { rules, ...more }: Run = {},
): Promise<Authorized & { readonly seen: Asked }> {
  const seen: Asked = { policies: [], operations: [] };
  const token = 'token' in more ? more.token : TOKEN;
  const request = requestOf(text, { request: { variables: more.variables } });
  const stage = await authorize(
    prepared(text, token),
    request,
    {
      authorizer: standIn({
        policies: new Set(['every', 'policy']),
        policiesOf: () => ['policy'],
        authorize: (...asked: Asked['operations'][number]) => {
          seen.operations.push(asked);
          return DECISION;
        },
      }),
      policies: standIn({
        answer: async (...asked: readonly unknown[]) => {
          seen.policies.push(asked);
          return ANSWERED;
        },
      }),
    },
    {
      mode: 'filter',
      schemaIntrospection: 'authenticated',
      maxErrors: 10,
      minimizedPaths: true,
      ...rules,
    },
  );
  return { ...stage, seen };
}

describe('authorize', () => {
  it('decides with the policies that the operation depends on', async () => {
    const stage = await run('query Named($color: Color) { me paint(color: $color) }', {
      variables: { color: 'RED' },
    });
    expect(stage.seen.policies).toEqual([[['policy'], TOKEN.delegation, 'Named']]);
    expect(stage.seen.operations).toEqual([
      [stage.operation, ANSWERED, { color: 'RED' }, { tellsMinimized: false }],
    ]);
    expect(stage).toMatchObject({
      authorization: DECISION,
      delegation: ANSWERED,
      asked: stage.operation,
      variables: { color: 'RED' },
      schemaIntrospection: undefined,
      isShadow: false,
    });
    expect([stage.propagation.token, stage.propagation.delegation]).toEqual([TOKEN, ANSWERED]);
    expect(stage.propagation.exchange).toBe(stage.exchange);
  });

  it('asks no policy for nobody', async () => {
    const stage = await run('{ me }', { token: undefined });
    expect(stage.seen.policies).toEqual([]);
    expect(stage.seen.operations).toEqual([[stage.operation, undefined, {}, { tellsMinimized: false }]]);
    expect(stage.delegation).toBeUndefined();
  });

  it('gives an operation without a name none', async () => {
    expect((await run('{ me }')).seen.policies).toEqual([[['policy'], TOKEN.delegation, undefined]]);
  });

  it('only notes denials in shadow mode', async () => {
    expect((await run('{ me }', { rules: { mode: 'shadow' } })).isShadow).toBe(true);
    expect((await run('{ me }', { rules: { mode: 'reject' } })).isShadow).toBe(false);
  });

  it('refuses a subscription', async () => {
    expect(await refusalOf(() => run('subscription { ticks }'))).toMatchObject({
      code: 'SUBSCRIPTION_UNSUPPORTED',
    });
  });
});

describe('the variables', () => {
  const PAINT = 'query ($color: Color, $id: ID) { paint(color: $color, id: $id) }';

  const invalid = async (variables: unknown, rules: Partial<AuthorizationRules> = {}): Promise<unknown[]> => {
    const error: unknown = await run(PAINT, { variables, rules }).catch((reason: unknown) => reason);
    if (!(error instanceof InvalidVariablesError)) throw new Error('the variables were accepted');
    return error.errors.map(({ message, extensions }) => [message, extensions]);
  };

  it('that are no values of their types end the operation, in every mode', async () => {
    for (const mode of ['filter', 'reject', 'shadow'] as const) {
      expect(await invalid({ color: 'REDD' }, { mode })).toEqual([
        [expect.stringContaining('"$color"'), { code: 'BAD_USER_INPUT' }],
      ]);
    }
  });

  it('suggest names of the schema only to those who may all read it', async () => {
    const message = async (rule: AuthorizationRules['schemaIntrospection']): Promise<string> =>
      JSON.stringify(await invalid({ color: 'REDD' }, { schemaIntrospection: rule }));
    expect(await message('all')).toContain('Did you mean');
    expect(await message('granted')).not.toContain('Did you mean');
  });

  it('that were rounded on their way are refused, and named without their value', async () => {
    const refused = await refusalOf(() => run(PAINT, { variables: { id: 2 ** 53 } }));
    expect(refused).toEqual({
      code: 'NUMBER_NOT_EXACT',
      message: 'Variable "$id" holds a number that cannot be carried exactly; send it as a string',
      status: 400,
    });
  });

  it('that cannot be read at all are nobody’s fault but the gateway’s', async () => {
    const broken = new TypeError('broken');
    const variables = Object.defineProperty({}, 'id', {
      enumerable: true,
      get: () => {
        throw broken;
      },
    });
    await expect(run(PAINT, { variables })).rejects.toBe(broken);
  });
});

describe('an operation that asks for the schema', () => {
  const SCHEMA_ONLY = '{ __schema { queryType { name } } }';
  const MIXED = '{ me s: __schema { queryType { name } } other }';

  it.each<[AuthorizationRules['schemaIntrospection'], boolean, number | undefined]>([
    ['off', true, 403],
    ['off', false, 403],
    ['authenticated', false, 401],
    ['authenticated', true, undefined],
    ['granted', false, 401],
    ['all', false, undefined],
  ])('is refused by the rule: %s, with a token %s: %s', async (schemaIntrospection, hasToken, status) => {
    const asked = (): ReturnType<typeof run> =>
      run(SCHEMA_ONLY, { rules: { schemaIntrospection }, token: hasToken ? TOKEN : undefined });
    if (status !== undefined)
      expect(await refusalOf(asked)).toMatchObject({ code: 'INTROSPECTION_DISABLED', status });
    else {
      const stage = await asked();
      expect(stage.schemaIntrospection?.keys).toEqual(['__schema']);
      expect(stage.asked).toBeUndefined();
      // Who sees the whole schema sees it whatever policies say.
      expect(stage.seen.policies).not.toContainEqual([['every', 'policy'], TOKEN.delegation, undefined]);
    }
  });

  it('asks every policy where it is shown what it can reach, and decides nothing else', async () => {
    const stage = await run(SCHEMA_ONLY, { rules: { schemaIntrospection: 'granted' } });
    expect(stage.seen.policies).toEqual([[['every', 'policy'], TOKEN.delegation, undefined]]);
    expect(stage.seen.operations).toEqual([]);
    expect(stage.asked).toBeUndefined();
    expect(stage.schemaIntrospection?.keys).toEqual(['__schema']);
    const { authorization } = stage;
    expect(authorization).toMatchObject({ unchanged: false, denials: [] });
    expect(authorization.execute).toBeUndefined();
    const outcome = { data: {} };
    expect(authorization.complete(outcome)).toBe(outcome);
    expect(authorization.observe(outcome)).toBe(outcome);
  });

  it('is decided for its data alone, and under another hash', async () => {
    const stage = await run(MIXED, { rules: { schemaIntrospection: 'granted' } });
    expect(stage.schemaIntrospection?.keys).toEqual(['me', 's', 'other']);
    expect(stage.asked).toBe(stage.schemaIntrospection?.data);
    expect(stage.asked?.queryHash).not.toBe(stage.operation.queryHash);
    expect(stage.seen.operations.map(([operation]) => operation)).toEqual([stage.asked]);
    expect(stage.seen.policies).toEqual([[['every', 'policy'], TOKEN.delegation, undefined]]);
  });

  it('is not taken apart where it asks for data alone', async () => {
    const stage = await run('{ me }', { rules: { schemaIntrospection: 'granted' } });
    expect(stage.schemaIntrospection).toBeUndefined();
    expect(stage.asked).toBe(stage.operation);
    expect(stage.seen.policies).toEqual([[['policy'], TOKEN.delegation, undefined]]);
  });

  it('below the root is refused, where the gateway would answer with the whole schema', async () => {
    const nested = '{ self { __schema { queryType { name } } } }';
    const refused = await refusalOf(() => run(nested, { rules: { schemaIntrospection: 'granted' } }));
    expect(refused).toMatchObject({ code: 'INTROSPECTION_DISABLED', status: 403 });
    expect(refused.headers).toEqual(new Map());
  });
});
