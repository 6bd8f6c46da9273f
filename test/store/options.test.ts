import { expect, it } from 'vitest';
import { openDatabase, openDatabaseServer } from '../../store/index.js';

const url = 'postgres://nobody:secret@db.example/behalf';
const { NaN: notANumber, POSITIVE_INFINITY: infinite } = Number;
const counts: readonly unknown[] = ['5', -1, 1.5, notANumber, infinite, null];
const wrong = (options: Readonly<Record<string, readonly unknown[]>>): [string, object][] =>
  Object.entries(options).flatMap(([key, values]) =>
    values.map((value): [string, object] => [key, { [key]: value }]),
  );
const noObjects = [null, 5, 'x', [], new Map()].map((given): [string, unknown] => ['the options', given]);

it.each<[string, unknown]>([
  ...noObjects,
  ...wrong({
    max: [0, ...counts],
    applicationName: [5, '', null],
    statementTimeoutMs: counts,
    lockTimeoutMs: counts,
    log: [true, {}, null],
    maxConnections: [5],
  }),
])('a pool is refused for a wrong %s: %o', (key, options) => {
  const message = expect.stringMatching(`^${key} `) as unknown;
  const refusal = expect.objectContaining({ name: 'StoreError', code: 'OPTION_INVALID', message }) as Error;
  expect(() => openDatabase(url, options as never)).toThrow(refusal);
});

it.each([undefined, null, '', 5, 'db.example', 'mysql://me:secret@db.example/x'])(
  'a pool is refused for the URL %o',
  (given) => {
    expect(() => openDatabase(given as never)).toThrow(/^url must be a connection string(?!.*secret@)/);
  },
);

it.each<[string, unknown]>([
  ...noObjects,
  ['the options', undefined],
  ['dataDir', {}],
  ['dataDir', { databaseUrl: '' }],
  ...wrong({
    databaseUrl: [5, null],
    dataDir: [5, '', null],
    port: [65_536, ...counts],
    unsafeNoDurability: ['true', 1, null],
    log: [true, {}, null],
    datadir: ['x'],
  }),
])('a server is refused for a wrong %s: %o', async (key, options) => {
  const attempt = openDatabaseServer(options as never);
  await expect(attempt).rejects.toMatchObject({ name: 'StoreError', code: 'OPTION_INVALID' });
  await expect(attempt).rejects.toThrow(new RegExp(`^${key} `));
});
