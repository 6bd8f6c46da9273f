import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

/** Prints one line of JSON: what a process in this time zone answers. */
const SCRIPT = `
import { protectSchema } from '@behalf/directives';
import { GraphQLObjectType, GraphQLScalarType, GraphQLSchema, GraphQLString, graphql } from 'graphql';

const pad = (number) => String(number).padStart(2, '0');
const scalars = {
  DateTime: (date) => date.toISOString(),
  UtcDay: (date) => date.toISOString().slice(0, 10),
  LocalDay: (date) => date.getFullYear() + '-' + pad(date.getMonth() + 1) + '-' + pad(date.getDate()),
  German: (date) => date.getDate() + '.' + (date.getMonth() + 1) + '.' + date.getFullYear(),
  Epoch: (date) => date.getTime(),
};
/** As pg and mysql2 make a date; as Prisma does; a time that is no date. */
const values = {
  local: new Date(1990, 0, 1), utc: new Date('1990-01-01T00:00:00Z'), time: new Date('1990-01-01T07:08:09Z'),
  text: '1990-01-01', sql: '1990-01-01 00:00:00',
};
const fields = {};
const minimize = { to: 'GENERALIZE', unit: 'YEAR' };
const own = { public: {}, minimize };
for (const [name, write] of Object.entries(scalars)) {
  const type = new GraphQLScalarType({ name, serialize: write });
  for (const value of ['local', 'utc', 'time'])
    fields[value + name] = { type, resolve: () => values[value], extensions: { directives: own } };
}
const zoned = { public: {}, minimize: { ...minimize, timeZone: 'Europe/Vienna' } };
const at = new Date('1989-12-31T23:30:00Z');
fields.zonedDay = { type: new GraphQLScalarType({ name: 'ZonedDay', serialize: scalars.UtcDay }), resolve: () => at, extensions: { directives: zoned } };
for (const value of ['text', 'sql'])
  fields[value] = { type: GraphQLString, resolve: () => values[value], extensions: { directives: own } };
const schema = protectSchema(new GraphQLSchema({ query: new GraphQLObjectType({ name: 'Query', fields }) }), {
  name: 'dates', gateway: { issuer: 'https://gateway.example', jwksUri: 'https://gateway.example/jwks' },
});
const { data, errors } = await graphql({ schema, source: '{ ' + Object.keys(fields).join(' ') + ' }' });
console.log(JSON.stringify({ data, errors, offset: new Date(0).getTimezoneOffset() }));
`;

describe('a date is the same wherever the subgraph runs', () => {
  const run = promisify(execFile);
  const cwd = fileURLToPath(new URL('../..', import.meta.url));
  const midnight = '1990-01-01T00:00:00.000Z';

  it.each([
    ['UTC', 0],
    ['Europe/Vienna', -60],
    ['America/Los_Angeles', 480],
    ['Pacific/Kiritimati', 640],
  ])('TZ=%s', async (TZ, offset) => {
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', SCRIPT], {
      cwd,
      env: { ...process.env, TZ },
    });
    const {
      data,
      errors,
      offset: found,
    } = JSON.parse(stdout) as {
      readonly data: Record<string, unknown>;
      readonly errors: unknown;
      readonly offset: number;
    };
    expect([errors, found]).toEqual([undefined, offset]);
    expect(data).toMatchObject({
      text: '1990-01-01',
      sql: '1990-01-01 00:00:00',
      localDateTime: midnight,
      utcDateTime: midnight,
      timeDateTime: midnight,
      localUtcDay: '1990-01-01',
      utcUtcDay: '1990-01-01',
      timeUtcDay: '1990-01-01',
      localLocalDay: '1990-01-01',
      localGerman: '1.1.1990',
      localEpoch: Date.parse(midnight),
      utcEpoch: Date.parse(midnight),
      timeEpoch: Date.parse(midnight),
      zonedDay: '1990-01-01',
    });
  });
});
