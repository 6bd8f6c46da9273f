import { ask, BUDGET_SCOPES, discover, expect, ME, signIn } from './drill.js';
import type { Drill } from './drill.js';
import { rawRequest, type RawAnswer } from './raw.js';

const MIB = 1024 * 1024;
const MAX_ANSWER_BYTES = MIB;
const MAX_GROWTH_MIB = 400;
/** Codes of limits, as opposed to failures of the gateway. */
const FAULTS = ['INTERNAL_SERVER_ERROR', 'Internal server error'];

/** Each request is small, and would cost seconds or hundreds of megabytes if it were executed. */
const DOCUMENTS: readonly (readonly [what: string, query: string])[] = [
  ['fragments that double 60 times, 2 kB', doublingFragments(60)],
  ['conditional fragments that double, 1 kB', doublingConditions(20)],
  ['20,000 aliases of a field that is denied', `{ ${repeat(20_000, (n) => `a${n}: me { name }`)} }`],
  ['20,000 aliases of a field that everybody has', `{ ${repeat(20_000, (n) => `a${n}: __typename`)} }`],
  ['5,000 variables', `query (${repeat(5_000, (n) => `$v${n}: ID`)}) { me { name } }`],
  ['2,000 directives', `{ me { name ${repeat(2_000, () => '@include(if: true)')} } }`],
  ['a selection 5,000 deep', `{ me ${'{ a '.repeat(5_000)}${'}'.repeat(5_000)} }`],
  ['a list value 100,000 deep', `{ customer(id: ${'['.repeat(100_000)}${']'.repeat(100_000)}) { name } }`],
  ['a text of 900 kB', `{ customer(id: "${'x'.repeat(900_000)}") { name } }`],
];

/** Operations that a planner would expand, for a caller who may read what they select. */
const PERMITTED: readonly (readonly [what: string, query: string])[] = [
  ['fragments that double 18 times', doublingFragments(18)],
  ['conditional fragments that double', doublingConditions(16)],
  ['9,000 aliases of a field that may be read', `{ me { ${repeat(9_000, (n) => `a${n}: name`)} } }`],
  [
    '9,000 aliases of another caller',
    `{ ${repeat(9_000, (n) => `a${n}: customer(id: "c-000002") { name }`)} }`,
  ],
];

/** An attacker wants to exhaust the gateway. */
export const exhaustion: Drill = {
  name: 'exhaustion',
  breach: 'An attacker sends the most expensive requests that fit into a megabyte, with and without a token.',
  async run(system, report) {
    const { access_token: token } = await signIn(await discover(system), 'alma', BUDGET_SCOPES);
    const send = (query: string, headers: Readonly<Record<string, string>> = {}): Promise<RawAnswer> =>
      rawRequest(`${system.gatewayUrl}/graphql`, {
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ query }),
      });
    const before = process.memoryUsage().rss;

    for (const [what, query] of DOCUMENTS) {
      report.tried(what);
      const [answer, others] = await Promise.all([send(query), whileServed()]);
      expectModest(answer);
      expect(others, 'the application is served meanwhile, and the gateway says that it is well');
    }
    for (const [what, query] of PERMITTED) {
      report.tried(`${what}, with a token`);
      const headers = { authorization: `Bearer ${token}` };
      const [answer, others] = await Promise.all([send(query, headers), whileServed()]);
      expectModest(answer);
      expect(others, 'others are served meanwhile');
    }
    report.stopped(
      'limits on an operation are counted before it is parsed or planned; each refusal has a code',
    );

    report.tried('48 different operations of 240 kB, all of them denied');
    for (let n = 0; n < 48; n += 1) {
      expectModest(await send(`{ ${repeat(12_000, (each) => `x${n}y${each}: me { name }`)} }`));
    }
    report.tried('2,000 small operations that differ, from 20 connections');
    const work = async (lane: number): Promise<void> => {
      for (let n = 0; n < 100; n += 1) expectModest(await send(`{ l${lane}n${n}: me { name } }`));
    };
    await Promise.all(Array.from({ length: 20 }, (_each, lane) => work(lane)));
    const grownMib = (process.memoryUsage().rss - before) / MIB;
    expect(grownMib < MAX_GROWTH_MIB, `it grows by less than ${MAX_GROWTH_MIB} MiB (${grownMib.toFixed(0)})`);
    report.stopped('caches are bounded by bytes, and what is denied as a whole is not kept');

    expect((await ask(system, token)).status === 200, 'the application is served');
    report.held('the application is served as before');

    async function whileServed(): Promise<boolean> {
      const [answer, health] = await Promise.all([
        ask(system, token, ME),
        fetch(`${system.gatewayUrl}/health`),
      ]);
      return answer.status === 200 && health.status === 200;
    }
  },
};

/** A cheap refusal that tells the client what was wrong. */
function expectModest({ status, text }: RawAnswer): void {
  expect(
    status === 200 || status === 400 || status === 413,
    `it is refused as a mistake, not with ${status}`,
  );
  expect(text.length <= MAX_ANSWER_BYTES, 'the answer is small');
  expect(!FAULTS.some((fault) => text.includes(fault)), 'the gateway did not fail');
  const { errors = [] } = JSON.parse(text) as { errors?: { extensions?: { code?: unknown } }[] };
  expect(errors.length <= 1_001, 'errors are bounded');
  expect(
    errors.every(({ extensions }) => typeof extensions?.code === 'string'),
    'every error has a code',
  );
}

function repeat(count: number, text: (n: number) => string): string {
  return Array.from({ length: count }, (_each, n) => text(n)).join(' ');
}

/** Expanded, it has 2^depth fields. */
function doublingFragments(depth: number): string {
  const fragments = repeat(depth, (n) => `fragment f${n} on Customer { ...f${n + 1} ...f${n + 1} }`);
  return `{ me { ...f0 } } ${fragments} fragment f${depth} on Customer { name }`;
}

/** Each condition may be true or false, so a planner might consider 2^depth cases. */
function doublingConditions(depth: number): string {
  const variables = repeat(depth, (n) => `$c${n}: Boolean!`);
  const fields = repeat(depth, (n) => `... @include(if: $c${n}) { a${n}: name }`);
  return `query (${variables}) { me { ${fields} } }`;
}
