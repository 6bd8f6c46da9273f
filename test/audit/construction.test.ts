import { expect, it } from 'vitest';
import { FileAuditSink } from '../../audit/index.js';
import { PostgresAuditSink } from '../../audit/postgres.js';

const databaseUrl = 'postgres://writer:secret@db.example/behalf';
const each = (key: string, values: readonly unknown[]): [string, unknown][] =>
  values.map((value) => [key, { databaseUrl, [key]: value }]);

it.each<[string, unknown]>([
  ...[undefined, null, 5, databaseUrl, [], new Map()].map((given): [string, unknown] => [
    'the options',
    given,
  ]),
  ...each('databaseUrl', [undefined, null, '', 5, 'mysql://db.example/x', 'db.example', 'postgres://[']),
  ...each('maxQueue', ['5', 0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, null]),
  ...each('maxWaitMs', ['5', -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, null]),
  ...each('clock', [5, null, {}, { now: () => 0 }]),
  ...each('databaseURL', [databaseUrl]),
  ...each('max', [1]),
])('a sink in PostgreSQL is refused for %s: %o', (key, options) => {
  const refusal = { code: 'AUDIT_OPTION_INVALID', message: expect.stringMatching(`^${key}: `) as unknown };
  expect(() => new PostgresAuditSink(options as never)).toThrow(expect.objectContaining(refusal));
});

it('the key that was probably meant is named', () => {
  expect(() => new PostgresAuditSink({ databaseUrl, maxQeue: 5 } as never)).toThrow('did you mean maxQueue?');
});

it('an unusable address is not repeated, because it may contain a password', () => {
  const options = { databaseUrl: 'mysql://me:sesame@db.example/x' };
  expect(() => new PostgresAuditSink(options)).toThrow(/^(?!.*sesame)/);
});

it.each([undefined, null, '', 5, { path: 'audit.jsonl' }])(
  'a sink in a file is refused for the path %o',
  async (path) => {
    const attempt = FileAuditSink.open(path as never);
    await expect(attempt).rejects.toMatchObject({ name: 'AuditError', code: 'AUDIT_OPTION_INVALID' });
    await expect(attempt).rejects.toThrow('path: must');
  },
);
