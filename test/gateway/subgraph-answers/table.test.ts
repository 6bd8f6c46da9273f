import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { AUDIENCE, Cleanup, compose, startTestGateway, TestIssuer, TestSubgraph } from '../support.js';
import type { TestGateway } from '../support.js';
import { answers, VALUE } from './answers.js';

// Each row of the table is tried on a gateway over HTTP. The table says what to expect.

/** What the table says of an answer. */
interface Row {
  readonly answer: string;
  /** `used`, or `null`. */
  readonly data: string;
  /** The code of the client's error; `–` if it has none. */
  readonly error: string;
  /** The log's reason or code. */
  readonly log: string;
}

const NONE = '–';
const PAGE = new URL('../../../docs/reference/subgraph-answers.md', import.meta.url);
/** For the answers that never end. The others have as long as any test has. */
const SHORT_TIMEOUT_MS = 200;

const rows: readonly Row[] = (readFileSync(PAGE, 'utf8').split('\n## ')[0] ?? '')
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .slice(2)
  .map((line) => {
    const [answer = '', data = '', error = '', log = ''] = line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim());
    return { answer, data, error, log };
  });

const cleanup = new Cleanup();
let people: TestSubgraph;
let patient: TestGateway;
let hasty: TestGateway;

beforeAll(async () => {
  const issuer = await TestIssuer.start();
  people = await TestSubgraph.start('people');
  const accounts = await TestSubgraph.start('accounts');
  for (const each of [issuer, people, accounts]) cleanup.add(() => each.close());
  const start = (timeoutMs: number): Promise<TestGateway> =>
    startTestGateway(cleanup, compose(people, accounts), {
      issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
      subgraphs: { people: { timeoutMs } },
    });
  patient = await start(60_000);
  hasty = await start(SHORT_TIMEOUT_MS);
});
afterAll(() => cleanup.run());

it('the table has these rows in this order', () => {
  expect(rows.map(({ answer }) => answer)).toEqual(Object.keys(answers));
});

it.each(Object.keys(answers))('%s', async (answer) => {
  const row = rows.find((each) => each.answer === answer);
  const gateway = row?.log === '`TIMEOUT`' ? hasty : patient;
  people.instead = answers[answer];
  gateway.log.entries.length = 0;
  const { body, text, status } = await gateway.ask('{ hello rates }');
  const data = body.data as { hello: unknown; rates: unknown };
  const [error, ...others] = body.errors ?? [];
  const [line] = gateway.log.entries.filter(({ code }) => /^SUB(GRAPH_ERROR|REQUEST_)/.test(code));
  expect({
    answer,
    data: data.hello === null ? 'null' : 'used',
    error: error === undefined ? NONE : `\`${String(error.extensions?.code)}\``,
    log: line === undefined ? NONE : `\`${String(line.facts.reason ?? line.code)}\``,
  }).toEqual(row?.log === 'network' ? { ...row, log: `\`${String(line?.facts.reason)}\`` } : row);
  if (row?.log === 'network') expect(line?.facts.reason).toMatch(/^(?!UNKNOWN)[A-Z][A-Z_]+$/);
  // A null has an error at its place, and a value has none.
  expect(error?.path).toEqual(row?.data === 'used' ? undefined : ['hello']);
  expect(others).toEqual([]);
  // One subgraph's answer changes nothing of another's, and nothing of an unused one is shown.
  expect(data.rates).toBe('up');
  expect(status).toBe(200);
  if (row?.data !== 'used') expect(text + gateway.log.text).not.toContain(VALUE);
});
