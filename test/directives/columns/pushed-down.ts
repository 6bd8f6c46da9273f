import type { ColumnType, RequestedColumn } from '@behalf/directives';
import { selectColumns } from '@behalf/directives/kysely';
import type { GraphQLScalarType } from 'graphql';
import type { Kysely, RawBuilder } from 'kysely';
import { sql } from 'kysely';
import { FinishedValue } from '../../../directives/src/minimize/finished-value.js';
import { compileMinimizer } from '../../../directives/src/minimize/minimizer.js';
import { minimize } from '../../../directives/src/specification/minimize.js';

/** One statement of `@minimize` on a field of a type, read from a column of a type. */
export interface Case {
  /** The arguments of the directive. */
  readonly args: Readonly<Record<string, unknown>>;
  readonly field: GraphQLScalarType;
  readonly type: ColumnType;
  /** How the example's database writes the value; by default as the driver reads it. */
  readonly format?: (value: RawBuilder<unknown>) => RawBuilder<unknown>;
}

const SQL_TYPES: Partial<Record<ColumnType, string>> = { double: 'double precision' };

export interface Pushed {
  readonly stored: unknown;
  readonly pushed: unknown;
  /** What the minimizer leaves of each. */
  readonly ofStored: unknown;
  readonly ofPushed: unknown;
}

/** Selects each value, a text of PostgreSQL, whole and with the detail pushed into the statement, and minimizes both. */
export async function pushDown(
  db: Kysely<unknown>,
  { args, field, type, format }: Case,
  values: readonly (string | null)[],
): Promise<Pushed[]> {
  const { statement } = minimize.compile(args, 'T.f');
  const { unless: _none, ...strategy } = statement;
  const whole: RequestedColumn = { column: 'c', property: 'stored', type, coordinates: ['T.f'] };
  const columns = [whole, { ...whole, property: 'pushed', minimize: strategy }];
  const list = selectColumns(columns, {
    table: 't',
    format: format === undefined ? {} : { stored: format, pushed: format },
  });
  const { rows } = await sql<{ stored: unknown; pushed: unknown }>`
    select ${sql.join(list.map((each) => sql`${each}`))}
    from (select v::${sql.raw(SQL_TYPES[type] ?? type)} as c from unnest(${values}::text[]) with ordinality as u (v, at)
      order by at) as t`.execute(db);
  const minimizer = compileMinimizer({
    statement,
    coordinate: 'T.f',
    type: field,
    pseudonymKey: undefined,
    onUnreadable: () => undefined,
  });
  const left = (value: unknown): unknown => {
    const rest = minimizer(value, { clientId: '' });
    const written = rest instanceof FinishedValue ? rest.output : rest;
    return written instanceof Date ? written.toISOString() : written;
  };
  return rows.map(({ stored, pushed }) => ({
    stored,
    pushed,
    ofStored: left(stored),
    ofPushed: left(pushed),
  }));
}

export function isUnchanged({ ofStored, ofPushed }: Pushed): boolean {
  return Object.is(ofStored, ofPushed) || (ofStored === 0 && ofPushed === 0);
}
