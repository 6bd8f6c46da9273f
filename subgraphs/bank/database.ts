import type { Kysely } from 'kysely';

/**
 * The database that holds the bank's tables, in the PostgreSQL schema `bank`. Its queries name their columns
 * themselves, since the columns depend on the operation, and are typed where they are written.
 */
export type BankDatabase = Kysely<unknown>;
