import { denialError } from '@behalf/directives';
import { afterEach, expect, it } from 'vitest';

const { stackTraceLimit } = Error;
afterEach(() => {
  Error.stackTraceLimit = stackTraceLimit;
});

it('a denial tells its code, the coordinate and what would be required', () => {
  const error = denialError('Query.account', { scopes: [[['accounts:read']]] }, ['account', 0]);
  expect(error.toJSON()).toEqual({
    message: 'Unauthorized field or type',
    path: ['account', 0],
    extensions: {
      code: 'UNAUTHORIZED_FIELD_OR_TYPE',
      coordinate: 'Query.account',
      requires: { scopes: [[['accounts:read']]] },
    },
  });
  expect(denialError('Query.account', {}).path).toBeUndefined();
});

it('a page of denials does not pay for stack traces, and other errors keep theirs', () => {
  Error.stackTraceLimit = 7;
  expect(denialError('Query.account', {}).stack).not.toContain('\n    at ');
  expect(Error.stackTraceLimit).toBe(7);
});
