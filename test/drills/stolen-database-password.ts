import pg from 'pg';
import { ADMINISTRATOR_SCOPES, ask, BUDGET_SCOPES, discover, expect, signIn } from './drill.js';
import type { Drill } from './drill.js';

/** SQLSTATE of a missing privilege. */
const NOT_PERMITTED = '42501';

const FORBIDDEN = [
  'select * from audit.record',
  "insert into audit.record select '2001-01-01', 1, 'access', '{}', '2001-01-01', null, gen_random_uuid(), 'answered'",
  'update audit.head set size = 0',
  'delete from audit.leaf',
  'delete from audit.record',
  'create temporary table loot (x int)',
  'select lo_create(0)',
  'select * from authority.consent',
  'select * from bank.customer',
];

/** An attacker has read a gateway's configuration. */
export const stolenDatabasePassword: Drill = {
  name: 'stolen-database-password',
  breach: 'An attacker has the password that a gateway writes audit records with, and reaches the database.',
  async run(system, report) {
    const { audit } = system.gatewayConfig;
    const database = audit === undefined || audit.mode === 'off' ? undefined : audit.database;
    const thieves: pg.Client[] = [];
    const connect = async (): Promise<pg.Client> => {
      const thief = new pg.Client({ connectionString: database });
      thief.on('error', () => undefined);
      thieves.push(thief);
      await thief.connect();
      return thief;
    };
    try {
      const thief = await connect();
      for (const statement of FORBIDDEN) {
        report.tried(statement.slice(0, 60));
        const code = await thief.query(statement).then(
          () => undefined,
          (error: unknown) => (error as { code?: unknown }).code,
        );
        expect(code === NOT_PERMITTED, 'it is not permitted');
      }
      report.stopped('the role can call one function, and nothing else');

      report.tried('every lock that it can take, in transactions that are left open');
      const holder = await connect();
      await holder.query('select pg_advisory_lock(hashtext(n::text)) from generate_series(1, 100) n');
      await holder.query('begin');
      await holder.query("select audit.append('[]')");
      await holder.query("alter role current_user password 'of-the-thief'");
      const reader = await connect();
      await reader.query('begin isolation level serializable');
      await reader.query('prepare held as delete from audit.record');
      report.tried('20,000 forged notifications');
      await thief.query(
        "select pg_notify('behalf_authority_change', n::text) from generate_series(1, 20000) n",
      );
      const alma = await signIn(await discover(system), 'alma', BUDGET_SCOPES);
      const console = await discover(system, 'bank-console');
      const { access_token: administrator } = await signIn(console, 'iris', ADMINISTRATOR_SCOPES);
      for (const [stop, served] of [
        ['emergencyStop', false],
        ['liftEmergencyStop', true],
      ] as const) {
        const answer = await ask(
          system,
          administrator,
          `mutation { ${stop}(target: { clientId: "budget-app" }, reason: "a drill", waitFor: ALL_GATEWAYS) {
            outcome inForce { everywhere } } }`,
        );
        expect(answer.codes.length === 0, `${stop} is answered`);
        expect(((await ask(system, alma.access_token)).status === 200) === served, 'it is in force');
      }
      report.stopped('what stops an application waits for no lock that the role can hold');
    } finally {
      await Promise.all(thieves.map((thief) => thief.end().catch(() => undefined)));
    }
  },
};
