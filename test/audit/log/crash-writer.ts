/** Appends records as a gateway does, until it is killed, and prints the receipt of each: one on each line. */
import { PostgresAuditSink } from '@behalf/audit/postgres';
import { record } from '../support.js';

const CONCURRENT = 16;

const sink = new PostgresAuditSink({ databaseUrl: process.argv[2] ?? '' });

async function appendForEver(): Promise<never> {
  for (;;) {
    const own = record();
    // Whoever gets no receipt was promised nothing. A record may be stored all the same.
    const receipt = await sink.append(own).catch(() => undefined);
    if (receipt !== undefined) process.stdout.write(`${own.transactionId} ${receipt}\n`);
  }
}

await Promise.all(Array.from({ length: CONCURRENT }, appendForEver));
