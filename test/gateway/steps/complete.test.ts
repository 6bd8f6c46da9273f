import { GraphQLError } from 'graphql';
import { describe, expect, it } from 'vitest';
import type { Authorization } from '../../../gateway/authorize/index.js';
import type { ErrorReport } from '../../../gateway/subgraph-errors/log-errors.js';
import { complete } from '../../../gateway/steps/complete.js';
import { decision, DENIAL, executed, Log, standIn } from './support.js';

const REPORT: ErrorReport = {
  subgraph: 'people',
  code: 'FAILED',
  path: 'me',
  further: 2,
};
const reporting =
  (answer: object): Authorization['complete'] =>
  (outcome, report) => {
    report?.(REPORT);
    return { ...outcome, ...answer };
  };
const OUTCOME = { data: { me: 'ada' } };

describe('complete', () => {
  it('answers with what the decision leaves, and logs what went wrong', () => {
    const log = new Log();
    const stage = executed(OUTCOME, {
      authorization: decision({
        denials: [DENIAL],
        complete: reporting({ data: { me: null } }),
        observe: () => ({ data: 'observed' as never }),
      }),
    });
    const completed = complete(stage, log);
    expect(completed).toMatchObject({ ...stage, answer: { data: { me: null } } });
    const transaction = stage.exchange.transactionId;
    expect(log.lines).toEqual([
      ['warn', 'SUBGRAPH_ERROR', { subgraph: 'people', code: 'FAILED', path: 'me', transaction }],
      ['warn', 'SUBGRAPH_ERROR', { omitted: 2, transaction }],
    ]);
  });

  it('logs an unexpected error with its class and frames', () => {
    const log = new Log();
    const failure = new GraphQLError('a value', { originalError: new RangeError('a value') });
    const stage = executed(OUTCOME, {
      authorization: decision({
        complete: (outcome, report) => {
          report?.({ failure });
          report?.({ failure: 'a value' });
          return outcome;
        },
      }),
    });
    complete(stage, log);
    const transaction = stage.exchange.transactionId;
    const stack: unknown = expect.stringContaining('complete.test.ts');
    expect(log.lines).toEqual([
      ['error', 'INTERNAL_SERVER_ERROR', { transaction, error: 'RangeError', stack }],
      ['error', 'INTERNAL_SERVER_ERROR', { transaction, error: 'unknown', stack: '' }],
    ]);
  });

  it('answers with both parts, where the schema was asked for as well', () => {
    const schemaIntrospection = standIn<never>({ keys: ['__schema', 'me'] });
    const both = executed(
      OUTCOME,
      {},
      { schemaIntrospection, schemaIntrospectionOutcome: { data: { __schema: 1 } } },
    );
    expect(JSON.stringify(complete(both, new Log()).answer)).toBe('{"data":{"__schema":1,"me":"ada"}}');
    expect(complete(executed(OUTCOME), new Log()).answer).toEqual(OUTCOME);
    expect(complete(executed(OUTCOME, {}, { schemaIntrospection }), new Log()).answer).toEqual(OUTCOME);
    const outcomeAlone = executed(OUTCOME, {}, { schemaIntrospectionOutcome: { data: {} } });
    expect(complete(outcomeAlone, new Log()).answer).toEqual(OUTCOME);
  });

  it('adds no way to sign in to an answer whose token withholds nothing', () => {
    const errors = [new GraphQLError('x', { extensions: { code: 'OTHER' } })];
    expect(complete(executed({ errors }), new Log()).answer.errors).toBe(errors);
  });
});

describe('complete in shadow', () => {
  const shadow = (denials: Authorization['denials']) => {
    const log = new Log();
    const authorization = decision({
      denials,
      complete: () => ({ data: null }),
      observe: reporting({ data: { me: 'observed' } }),
    });
    const stage = executed(OUTCOME, { authorization }, { isShadow: true });
    return { answer: complete(stage, log).answer, log, transaction: stage.exchange.transactionId };
  };

  it('changes nothing, and logs what would be denied', () => {
    const second = { ...DENIAL, coordinate: 'Query.other', selections: 3 };
    const { answer, log, transaction } = shadow([DENIAL, second]);
    expect(answer).toEqual({ data: { me: 'observed' } });
    expect(log.lines[0]).toEqual([
      'info',
      'WOULD_DENY',
      { coordinates: 'Query.me Query.other', denials: 4, transaction },
    ]);
    expect(log.lines.map(([, code]) => code)).toEqual(['WOULD_DENY', 'SUBGRAPH_ERROR', 'SUBGRAPH_ERROR']);
  });

  it('logs nothing where nothing would be denied', () => {
    expect(shadow([]).log.lines.map(([, code]) => code)).toEqual(['SUBGRAPH_ERROR', 'SUBGRAPH_ERROR']);
  });

  it('names at most twenty coordinates, and counts all', () => {
    const denials = Array.from({ length: 25 }, (_, index) => ({ ...DENIAL, coordinate: `Query.f${index}` }));
    const facts = shadow(denials).log.lines[0]?.[2] as {
      readonly coordinates: string;
      readonly denials: number;
    };
    expect(facts.coordinates.split(' ')).toHaveLength(20);
    expect(facts.denials).toBe(25);
  });
});
