import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { walkthroughCommand } from '../../subgraphs/bank/walkthrough/walkthrough.js';
import { createTestDatabase } from '../support/database.js';
import type { TestDatabase } from '../support/database.js';
import { exampleDataFolder } from './data-folder.js';

let database: TestDatabase<unknown>;
let dataDir: string;

beforeAll(async () => {
  database = await createTestDatabase();
  dataDir = await exampleDataFolder('walkthrough');
});
afterAll(async () => {
  await database.drop();
  await rm(dataDir, { recursive: true, force: true });
});

it(
  'leads from consent through partial data and its record to revocation and the person’s history',
  { timeout: 120_000 },
  async () => {
    const lines: string[] = [];
    await walkthroughCommand({ dataDir, databaseUrl: database.url, print: (line) => lines.push(line) });
    const told = lines.join('\n');
    expect(told).toContain('[ ] See your full account numbers and exact balances');
    expect(told).toMatch(/Refused \d+ ms after the mutation/);
    expect(told).toContain('authentication-failed (REVOKED)');
    // The record names fields; values occur only in the responses above it.
    const record = told.slice(told.indexOf('It is on record'), told.indexOf('Alma ends it'));
    expect(record).toContain('Customer.email');
    expect(record).not.toMatch(/Lindqvist|Vaasa|e\.net/);
    const history = told.slice(told.indexOf('Alma sees who read her data'));
    expect(history).toContain('See who read your data, when, and what of it');
    expect(history).toContain('Customer.email');
    expect(history).toMatch(/Verified: entry \d+ of \d+ in audit\.bank\.example/);
    expect(history).not.toMatch(/Lindqvist|Vaasa|e\.net/);
  },
);
