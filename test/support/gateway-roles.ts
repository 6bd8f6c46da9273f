import { randomBytes } from 'node:crypto';

import { sql } from 'kysely';
import pg from 'pg';

import { createReaderRole, createWriterRole, migrateAudit } from '@behalf/audit/postgres';
import type { AuditDatabase } from '@behalf/audit/postgres';
import { migrateAuthority } from '@behalf/authority/consent';
import type { AuthoritySchema } from '@behalf/authority/consent';
import { createReplayRole, migrateReplay } from '@behalf/store';
import { createTestDatabase, type TestDatabase } from './database.js';

export type Everything = AuthoritySchema & AuditDatabase;

/** A gateway's role, as if its password were stolen. */
export interface Thief {
  readonly role: string;
  readonly url: string;
  /** A session as the role; closed with the database. */
  connect(): Promise<pg.Client>;
}

export interface RoledDatabase {
  readonly database: TestDatabase<Everything>;
  readonly writer: Thief;
  readonly replay: Thief;
  /** Of the consent subgraph: it may read the log. */
  readonly reader: Thief;
  readonly writerPassword: string;
  drop(): Promise<void>;
}

/** All parts of the store in a separate database, with every limited role under a unique name. */
export async function createRoledDatabase(): Promise<RoledDatabase> {
  const database = await createTestDatabase<Everything>();
  const { db } = database;
  await migrateAuthority(db);
  await migrateAudit(db);
  await migrateReplay(db);
  // Roles are the server's, not the database's.
  const suffix = randomBytes(6).toString('hex');
  const [writer, replay, reader] = [`writer_${suffix}`, `replay_${suffix}`, `reader_${suffix}`];
  await createWriterRole(db, suffix, writer);
  await createReplayRole(db, suffix, replay);
  await createReaderRole(db, suffix, reader);
  const clients: pg.Client[] = [];
  return {
    database,
    writer: thief(database.url, writer, suffix, clients),
    replay: thief(database.url, replay, suffix, clients),
    reader: thief(database.url, reader, suffix, clients),
    writerPassword: suffix,
    async drop() {
      await Promise.all(clients.map((client) => client.end().catch(() => undefined)));
      for (const role of [writer, replay, reader]) {
        await sql`drop owned by ${sql.id(role)}`.execute(db);
        await sql`drop role ${sql.id(role)}`.execute(db);
      }
      await database.drop();
    },
  };
}

export function thief(databaseUrl: string, role: string, password: string, clients: pg.Client[]): Thief {
  const url = new URL(databaseUrl);
  url.username = role;
  url.password = password;
  return {
    role,
    url: url.href,
    async connect() {
      const client = new pg.Client({ connectionString: url.href });
      // Its owner may end it.
      client.on('error', () => undefined);
      clients.push(client);
      await client.connect();
      return client;
    },
  };
}
