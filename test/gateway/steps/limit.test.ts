import { describe, expect, it } from 'vitest';
import type { CostModel, RequestLimits } from '../../../gateway/limit/index.js';
import { countRequest, limit } from '../../../gateway/steps/limit.js';
import { authenticated, refusalOf, requestOf, standIn } from './support.js';

const COSTS = standIn<CostModel>({});

function limits() {
  const counted: unknown[] = [];
  const measured: unknown[][] = [];
  const parts = standIn<RequestLimits>({
    countRequest: async (caller: unknown) => void counted.push(caller),
    measure: async (...args: unknown[]) => void measured.push(args),
  });
  return { counted, measured, parts };
}

describe('limit', () => {
  it('counts a request and measures its operation', async () => {
    const { counted, measured, parts } = limits();
    const caller = authenticated();
    const request = requestOf('{ me }', { request: { variables: { a: 1 } } });
    const stage = await limit(caller, request, COSTS, parts);
    expect(stage).toEqual({ ...caller, isCounted: true });
    expect(counted).toEqual([caller]);
    const { document, operation } = request;
    expect(measured).toEqual([[stage, { document, operation }, { a: 1 }, COSTS]]);
  });

  it('counts no request twice', async () => {
    const { counted, parts } = limits();
    const once = await countRequest(authenticated(), parts);
    expect(await countRequest(once, parts)).toBe(once);
    expect(await limit(once, requestOf('{ me }'), COSTS, parts)).toBe(once);
    expect(counted).toHaveLength(1);
  });

  it('measures a request without variables', async () => {
    const { measured, parts } = limits();
    await limit(authenticated(), requestOf('{ me }'), COSTS, parts);
    expect(measured[0]?.[2]).toEqual({});
  });

  it('refuses a request whose operation is not there, and has counted it', async () => {
    const { counted, measured, parts } = limits();
    const request = requestOf('{ me }', { operation: undefined });
    expect(await refusalOf(() => limit(authenticated(), request, COSTS, parts))).toEqual({
      code: 'OPERATION_RESOLUTION_FAILURE',
      message: 'The document has no operation of this name, or several and the request names none',
      status: 400,
      reason: 'OPERATION_INVALID',
    });
    expect([counted.length, measured.length]).toEqual([1, 0]);
  });
});
