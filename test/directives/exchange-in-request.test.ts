import { exchangeTxnToken, PassOnError, txnTokenHeaders } from '@behalf/directives';
import type { ProtectedContext } from '@behalf/directives';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { testedSubgraph } from './support.js';
import type { TestedSubgraph, TokenOptions } from './support.js';

const ENDPOINT = 'https://gateway.example/txn-token';
const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

let subgraph: TestedSubgraph;

let asked: URLSearchParams[];
let fails: boolean;
beforeEach(() => {
  subgraph = testedSubgraph(
    'type Query { ok: Int @public }',
    {},
    { passOn: { endpoint: ENDPOINT, secret: 's' } },
  );
  asked = [];
  fails = false;
  vi.stubGlobal('fetch', async (url: string, { body }: { body: URLSearchParams }) => {
    expect(url).toBe(ENDPOINT);
    asked.push(body);
    if (fails) throw new Error('unreachable');
    return Response.json({
      issued_token_type: 'urn:ietf:params:oauth:token-type:txn_token',
      access_token: `for ${body.get('audience') ?? ''} ${asked.length}`,
    });
  });
});
afterEach(() => {
  vi.unstubAllGlobals();
});

const code = (name: string): unknown => expect.objectContaining({ code: name });

describe('a transaction token is exchanged', () => {
  it('once for each audience of a request', async () => {
    const context = await subgraph.context({});
    const both = [
      exchangeTxnToken(context, { audience: 'ledger' }),
      exchangeTxnToken(context, { audience: 'ledger' }),
    ];
    expect(await Promise.all(both)).toEqual(['for ledger 1', 'for ledger 1']);
    expect(await exchangeTxnToken(context, { audience: 'mail' })).toBe('for mail 2');
    expect(await exchangeTxnToken(await subgraph.context({}), { audience: 'ledger' })).toBe('for ledger 3');
    expect(asked[0]?.get('subject_token')).toMatch(/^ey/);
    expect(asked[0]?.has('request_hash')).toBe(false);
  });

  it('each time where the new one is bound to a request', async () => {
    const context = await subgraph.context({});
    const target = { audience: 'ledger', request: { query: '{ entries }' } };
    expect(await exchangeTxnToken(context, target)).toBe('for ledger 1');
    expect(await exchangeTxnToken(context, target)).toBe('for ledger 2');
    expect(asked[0]?.get('request_hash')).toMatch(/^[\w-]{43}$/);
    expect(asked[1]?.get('request_hash')).toBe(asked[0]?.get('request_hash'));
  });

  it('again after a failure', async () => {
    const context = await subgraph.context({});
    fails = true;
    await expect(exchangeTxnToken(context, { audience: 'ledger' })).rejects.toThrow(PassOnError);
    fails = false;
    expect(await exchangeTxnToken(context, { audience: 'ledger' })).toBe('for ledger 2');
  });
});

describe('nothing is passed on', () => {
  const failed = (context: unknown, request?: unknown): Promise<unknown> =>
    exchangeTxnToken(context, { audience: 'ledger', request }).catch((error: unknown) => error);

  it('of a caller without a token', async () => {
    for (const context of [await subgraph.context(undefined), {}, undefined])
      expect(await failed(context)).toEqual(code('TXN_TOKEN_NOTHING_TO_PASS_ON'));
  });

  it('by a subgraph without passOn', async () => {
    const without = testedSubgraph('type Query { ok: Int @public }');
    expect(await failed(await without.context({}))).toEqual(code('TXN_TOKEN_EXCHANGE_NOT_CONFIGURED'));
  });

  it('for a request that cannot be bound to', async () => {
    expect(await failed(await subgraph.context({}), { query: 1 })).toEqual(
      code('TXN_TOKEN_EXCHANGE_REFUSED'),
    );
    expect(asked).toEqual([]);
  });
});

describe('the headers for another service', () => {
  async function context(caller: TokenOptions | undefined, trace?: string): Promise<ProtectedContext> {
    const { protectedContext } = await import('@behalf/directives');
    return protectedContext(subgraph.schema, {
      ...(caller === undefined ? {} : { 'txn-token': await subgraph.token(caller) }),
      ...(trace === undefined ? {} : { traceparent: trace }),
    });
  }

  it('are the exchanged token and the trace', async () => {
    expect(await txnTokenHeaders(await context({}, TRACEPARENT), { audience: 'ledger' })).toStrictEqual({
      'txn-token': 'for ledger 1',
      traceparent: TRACEPARENT,
    });
    expect(await txnTokenHeaders(await context({}), { audience: 'ledger' })).toStrictEqual({
      'txn-token': 'for ledger 2',
    });
  });

  it('are the trace alone for a caller without a delegation', async () => {
    const unsampled = TRACEPARENT.replace(/01$/, '00');
    expect(await txnTokenHeaders(await context(undefined, unsampled), { audience: 'ledger' })).toStrictEqual({
      traceparent: unsampled,
    });
    expect(await txnTokenHeaders({}, { audience: 'ledger' })).toStrictEqual({});
    expect(asked).toEqual([]);
  });

  it('leave out a trace that is not valid (W3C Trace Context section 3.2)', async () => {
    const zero = `00-${'0'.repeat(32)}-b7ad6b7169203331-01`;
    expect(await txnTokenHeaders(await context(undefined, zero), { audience: 'ledger' })).toStrictEqual({});
  });
});
