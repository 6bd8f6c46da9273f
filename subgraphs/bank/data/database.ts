import type { Kysely } from 'kysely';

/**
 * The database that holds the bank's tables, in the PostgreSQL schema `bank`. It has no table types: the columns of a query depend
 * on the operation, so each query states its own row type.
 */
export type BankDatabase = Kysely<unknown>;
