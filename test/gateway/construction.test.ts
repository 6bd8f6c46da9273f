import { expect, it } from 'vitest';
import {
  cedarEvaluator,
  ConfigurationError,
  jsonLog,
  MemoryProofReplayStore,
  PostgresProofReplayStore,
} from '../../gateway/index.js';
import { ManualClock } from '../support/manual-clock.js';

const databaseUrl = 'postgres://replay:secret@db.example/behalf';
const memory = (options: unknown): unknown => new MemoryProofReplayStore(options as never);
const postgres = (options: unknown): unknown => new PostgresProofReplayStore(options as never);

const wrongSizes: readonly unknown[] = ['5', -1, 0, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 25, null];
const wrongUrls: readonly unknown[] = [
  undefined,
  null,
  '',
  5,
  'mysql://db.example/x',
  'db.example',
  'postgres://[',
];
const noObjects: readonly unknown[] = [null, 5, 'x', [], new Map()];

it.each<[string, unknown, string]>([
  ...noObjects.map((given): [string, unknown, string] => ['no object', given, 'the options']),
  ...wrongSizes.map((maxEntries): [string, unknown, string] => ['maxEntries', { maxEntries }, 'maxEntries']),
  ['a misspelt key', { maxEntry: 5 }, 'maxEntry'],
  ['a key with a dot', { 'max.entries': 5 }, '"max.entries"'],
  ['no clock', { clock: { now: () => 0 } }, 'clock'],
])('a memory of used proofs is refused for %s: %o', (_, options, path) => {
  expect(() => memory(options)).toThrow(expect.objectContaining({ name: 'ConfigurationError', path }));
});

it.each<[string, unknown, string]>([
  ...[...noObjects, undefined].map((given): [string, unknown, string] => ['no object', given, 'the options']),
  ...wrongUrls.map((url): [string, unknown, string] => ['databaseUrl', { databaseUrl: url }, 'databaseUrl']),
  ...wrongSizes.map((maxEntries): [string, unknown, string] => [
    'maxEntries',
    { databaseUrl, maxEntries },
    'maxEntries',
  ]),
  ['an unknown key', { databaseUrl, max: 1 }, 'max'],
  ['a misspelt key', { databaseURL: databaseUrl }, 'databaseURL'],
  ['no clock', { databaseUrl, clock: {} }, 'clock'],
])('a database of used proofs is refused for %s: %o', (_, options, path) => {
  expect(() => postgres(options)).toThrow(expect.objectContaining({ name: 'ConfigurationError', path }));
});

it('an unusable address is not repeated, because it may contain a password', () => {
  expect(() => postgres({ databaseUrl: 'mysql://me:sesame@db.example/x' })).toThrow(/^(?!.*sesame)/);
});

it.each([
  databaseUrl,
  'postgresql://db.example/behalf?sslmode=verify-full',
  'postgres:///behalf?host=/run/postgresql',
  'postgres://me:secret@/behalf?host=/run/postgresql',
  '/run/postgresql behalf',
  'socket:/run/postgresql?db=behalf',
])('a connection string as the driver takes them is accepted: %s', async (url) => {
  await new PostgresProofReplayStore({ databaseUrl: url, maxEntries: 1, clock: new ManualClock() }).close();
});

it('the key that was probably meant is named', () => {
  expect(() => memory({ maxEntry: 5 })).toThrow('maxEntry: is not an option; did you mean maxEntries?');
  expect(() => jsonLog('wan' as never)).toThrow('did you mean warn?');
});

it.each<[string, readonly unknown[]]>([
  ['level', ['verbose']],
  ['level', ['']],
  ['level', [null]],
  ['level', [{ level: 'warn' }]],
  ['write', ['info', process.stderr]],
  ['clock', ['info', () => undefined, {}]],
])('a log is refused for its %s: %o', (path, given) => {
  const make = jsonLog as (...values: readonly unknown[]) => unknown;
  expect(() => make(...given)).toThrow(expect.objectContaining({ name: 'ConfigurationError', path }));
});

it.each<[string, readonly unknown[], string]>([
  ['nothing', [], 'policies.evaluators: must be the text of a Cedar file, not undefined'],
  ['bytes', [Buffer.from('permit (')], 'policies.evaluators: must be the text of a Cedar file, not a Buffer'],
  [
    'a path',
    ['./rules/policies.cedar'],
    'policies.evaluators: must be the text of a Cedar file, not the path',
  ],
  ['what is not Cedar', ['permit('], 'policies.evaluators: unexpected'],
  ['what is not Cedar, in a named file', ['permit(', 'p.cedar'], 'p.cedar: unexpected'],
  ['an empty path', ['permit(', ''], 'path: must not be empty'],
  ['no path', ['permit(', null], 'path: must be a string, not null'],
])('a Cedar evaluator is refused for %s', async (_, given, message) => {
  const make = cedarEvaluator as (...values: readonly unknown[]) => Promise<unknown>;
  const attempt = make(...given);
  await expect(attempt).rejects.toBeInstanceOf(ConfigurationError);
  await expect(attempt).rejects.toThrow(message);
});

it('a Cedar evaluator needs only a text', async () => {
  const text = 'permit (principal, action == Behalf::Action::"vip", resource);';
  const evaluator = await cedarEvaluator(text);
  expect([...evaluator.prepare(new Set(['vip'])).keys()]).toEqual(['vip']);
});
