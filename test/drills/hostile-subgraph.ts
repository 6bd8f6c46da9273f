import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readAudit } from '@behalf/audit/postgres';
import type { AuditRecord } from '@behalf/audit';
import type { AuditDatabase } from '@behalf/audit/postgres';
import { startGateway } from '@behalf/gateway';
import { openDatabase } from '@behalf/store';
import { BUDGET_SCOPES, discover, expect, signIn, until } from './drill.js';
import type { Drill } from './drill.js';
import { rawRequest, type RawAnswer } from './raw.js';
import type { DrillSystem } from './system.js';

/** Marks everything that the hostile subgraph makes up: it must appear nowhere. */
const SECRET = 'SECRET-4123456789';
const LARGE_ID = '9007199254740993';
const ESCAPE = '\u001b[2J';
/** As text, as it travels over the wire. */
type Tampering = (answer: string) => string;

interface Body {
  data?: { me?: Record<string, unknown> | null } | null;
  errors?: unknown[];
  extensions?: Record<string, unknown>;
}

/** An attacker has taken over one team's subgraph, and answers at will. */
export const hostileSubgraph: Drill = {
  name: 'hostile-subgraph',
  breach:
    'The customers subgraph is taken over. It sees what it is asked, and answers what its new owner likes.',
  async run(system, report) {
    const { access_token: token } = await signIn(await discover(system), 'alma', BUDGET_SCOPES);
    await withTampering(system, async (ask) => {
      for (const [what, error] of ERRORS) {
        report.tried(`an error ${what}`);
        const answer = await ask(
          token,
          '{ me { name } }',
          inBody((body) => (body.errors = [error])),
        );
        expect(answer.status === 200, 'the request is answered');
        expectNothing(answer);
      }
      report.stopped(
        'its errors are placed on the client’s own operation, and their texts are its own affair',
      );

      report.tried(`a number beyond 2^53 as an identifier`);
      const answer = await ask(token, '{ me { id name } }', (text) =>
        text.replace(/"id":"[^"]*"/, `"id":${LARGE_ID}`),
      );
      const { data } = JSON.parse(answer.text) as Body;
      expect(
        data?.me === null || data?.me === undefined || data.me.id === null || data.me.id === LARGE_ID,
        'a number is exact or absent',
      );
      report.stopped('no entity is joined to another by rounding');

      await factsAreChecked(system, token, ask, (what) => report.tried(what));
      report.stopped('the record is sealed, and holds only what the subgraph can have resolved');
    });
  },
};

type Ask = (token: string, query: string, tampering: Tampering) => Promise<RawAnswer>;

const ERRORS: readonly (readonly [string, unknown])[] = [
  [
    'that quotes a value, at a field that was not selected',
    { message: `Int cannot represent ${SECRET}`, path: ['me', 'taxId'] },
  ],
  ['without a path', { message: SECRET }],
  [
    'with a stack trace',
    { message: 'x', path: ['me', 'name'], extensions: { stacktrace: [SECRET], exception: { sql: SECRET } } },
  ],
  [
    'under the code of a mistake of the client',
    { message: SECRET, path: ['me', 'taxId'], extensions: { code: 'BAD_USER_INPUT' } },
  ],
  [
    'under the code of a denial',
    {
      message: SECRET,
      path: ['me', 'name'],
      extensions: { code: 'UNAUTHORIZED_FIELD_OR_TYPE', sql: SECRET },
    },
  ],
  ['with the syntax of a query plan for a path', { message: SECRET, path: ['me', '@', '_entities', 0] }],
];

/** Changes the body that the subgraph would have sent. */
function inBody(change: (body: Body) => unknown): Tampering {
  return (text) => {
    const body = JSON.parse(text) as Body;
    change(body);
    return JSON.stringify(body);
  };
}

function expectNothing({ text }: RawAnswer): void {
  expect(!text.includes(SECRET), 'nothing that it says is passed on');
  expect(!text.includes('stacktrace') && !text.includes('exception'), 'no stack trace is passed on');
  const { errors = [] } = JSON.parse(text) as { errors?: { path?: unknown[] }[] };
  expect(
    errors.every(({ path = [] }) => !path.includes('@') && !path.includes('_entities')),
    'paths are those of the answer',
  );
}

async function factsAreChecked(
  system: DrillSystem,
  token: string,
  ask: Ask,
  tried: (what: string) => void,
): Promise<void> {
  const facts: readonly (readonly [string, readonly unknown[]])[] = [
    ['a count below nothing', ['Customer.name', 'denied', -1]],
    ['an infinite count', ['Customer.name', 'allowed', 1e308]],
    ['an unknown coordinate', ['X.y', 'denied', 1]],
    ['another subgraph’s field', ['Account.iban', 'denied', 1]],
    ['a text that moves the cursor', [`Customer.name${ESCAPE}`, 'allowed', 1, null, `@rule${ESCAPE}`]],
  ];
  for (const [index, [what, fact]] of facts.entries()) {
    tried(`a report of ${what}`);
    const name = `Hostile${index}`;
    const answer = await ask(token, `query ${name} { me { name } }`, (text) =>
      inBody((body) => (body.extensions = { behalf: { v: 1, fields: [fact] } }))(text),
    );
    expect(answer.status === 200, 'the request is answered, though nothing is answered without a record');
    const fields = JSON.stringify((await recordOf(system, name)).fields);
    expect(!/X\.y|iban|u001b|-1|e\+?308/.test(fields), 'the record does not repeat it');
  }
  tried('100,000 reports at once');
  const many = Array.from({ length: 100_000 }, (_each, index) => [`Customer.f${index}`, 'allowed', 1]);
  const answer = await ask(token, 'query HostileMany { me { name } }', (text) =>
    inBody((body) => (body.extensions = { behalf: { v: 1, fields: many } }))(text),
  );
  expect(answer.status === 200, 'the request is answered');
  expect((await recordOf(system, 'HostileMany')).fields.length < 1_000, 'the record is bounded');
}

async function recordOf(system: DrillSystem, operationName: string): Promise<AuditRecord> {
  const db = openDatabase<AuditDatabase>(system.databaseUrl, { max: 1 });
  try {
    const records = await readAudit(db, { limit: 20 });
    const found = records.find(({ record: each }) => each.operationName === operationName);
    if (found === undefined) throw new Error(`there is no record of ${operationName}`);
    return found.record;
  } finally {
    await db.destroy();
  }
}

/** Another gateway of the same federation, which reaches the customers subgraph through the attacker. */
async function withTampering(system: DrillSystem, work: (ask: Ask) => Promise<void>): Promise<void> {
  let tamper: Tampering = (text) => text;
  const intruder = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const token = request.headers['txn-token'];
      rawRequest(system.subgraphUrls.customers, {
        headers: {
          'content-type': 'application/json',
          ...(typeof token === 'string' ? { 'txn-token': token } : {}),
        },
        body: Buffer.concat(chunks).toString(),
      }).then(
        ({ status, text }) => {
          response.writeHead(status, { 'content-type': 'application/json' }).end(tamper(text));
        },
        () => response.destroy(),
      );
    });
  });
  await new Promise<void>((resolve) => intruder.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(intruder.address() as AddressInfo).port}/`;
  const { gatewayConfig } = system;
  const gateway = await startGateway({
    ...gatewayConfig,
    listen: { host: '127.0.0.1', port: 0 },
    subgraphs: { ...gatewayConfig.subgraphs, customers: { url } },
  });
  try {
    await until(async () => (await fetch(`${gateway.url}/health`)).ok, 'the gateway is ready');
    await work((token, query, tampering) => {
      tamper = tampering;
      return rawRequest(`${gateway.url}/graphql`, {
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify({ query }),
      });
    });
  } finally {
    await gateway.close();
    intruder.closeAllConnections();
    await new Promise((resolve) => intruder.close(resolve));
  }
}
