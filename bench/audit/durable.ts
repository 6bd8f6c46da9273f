import { PostgresAuditSink } from '@behalf/audit/postgres';
import type { AuditRecord } from '@behalf/audit';

const SECONDS = 5;
/** As many requests wait for their records at the same time. */
const CONCURRENT = 200;

/** Durable records per second, by one writer with group commit. */
export async function benchDurableRecords(writerUrl: string): Promise<void> {
  const sink = new PostgresAuditSink({ databaseUrl: writerUrl });
  const [pseudonym = ''] = (await sink.pseudonymsOf(['alma'])).values();
  const end = performance.now() + SECONDS * 1_000;
  let durable = 0;
  const write = async (): Promise<void> => {
    while (performance.now() < end) {
      await sink.append(record(pseudonym));
      durable += 1;
    }
  };
  const cpuBefore = process.cpuUsage();
  const began = performance.now();
  await Promise.all(Array.from({ length: CONCURRENT }, write));
  const seconds = (performance.now() - began) / 1_000;
  const { user, system } = process.cpuUsage(cpuBefore);
  await sink.close();
  const perSecond = durable / seconds;
  const writerCores = (user + system) / 1e6 / seconds;
  console.log(
    `\nDurable records: ${perSecond.toFixed(0)} per second, by a writer that used ${writerCores.toFixed(2)} cores`,
  );
}

function record(subjectPseudonym: string): AuditRecord {
  return {
    transactionId: crypto.randomUUID(),
    time: Date.now(),
    outcome: 'answered',
    caller: { subjectPseudonym, clientId: 'budget-app', consentId: 'consent-1', consentVersion: 1 },
    subjects: [subjectPseudonym],
    fields: Array.from({ length: 10 }, (_, at) => ({
      coordinate: `Account.field${at}`,
      decision: 'allowed' as const,
      count: 3,
      rule: '@requiresScopes(accounts:read)',
      subgraph: 'accounts',
    })),
  };
}
