import { afterAll, beforeAll, expect, it } from 'vitest';
import type { TestSubgraph } from '../support.js';
import { answers, placed, serve } from './support.js';
import type { Setting } from './support.js';

// In shadow mode the client's answer is the one without Behalf, including subgraph messages (decision 0024).

let setting: Setting;
let people: TestSubgraph;

beforeAll(async () => {
  setting = await serve('protectGateway', undefined, { authorization: { mode: 'shadow' } });
  const subgraph = setting.subgraphs.get('people');
  if (subgraph === undefined) throw new Error('no people');
  people = subgraph;
});
afterAll(() => setting.close());

it('errors pass unchanged, without stacks', async () => {
  const { body, text } = await setting.ask('{ broken person { leaking } }');
  expect(body.errors).toMatchObject([
    {
      message: 'secret-broken',
      path: ['broken'],
      extensions: { code: 'BROKEN', value: 'secret-value', serviceName: 'people' },
    },
    { message: 'row 4123456789 is locked', path: ['person', 'leaking'], extensions: { code: 'LOCKED' } },
  ]);
  expect(text).not.toMatch(/secret-trace|"exception"/);
  for (const { extensions } of body.errors ?? []) {
    expect(extensions).not.toHaveProperty('stacktrace');
  }
});

it('the log reports what would be redacted', async () => {
  setting.log.entries.length = 0;
  await setting.ask('{ person { name city } }');
  expect(setting.log.of('SUBGRAPH_ERROR')).toMatchObject([
    { subgraph: 'people', code: 'INTERNAL_SERVER_ERROR', path: 'person.taxNumber' },
  ]);
  expect(setting.log.text).not.toContain('4123456789');
});

it('a subgraph failure is reported where it caused a null', async () => {
  people.instead = answers({}, 500);
  try {
    expect(placed(await setting.ask('{ p: person { name secret } broken weather }')).sort()).toEqual([
      'broken SUBREQUEST_HTTP_ERROR',
      'p SUBREQUEST_HTTP_ERROR',
    ]);
  } finally {
    people.instead = undefined;
  }
});

it('errors are bounded as in any other mode', async () => {
  people.instead = answers({
    data: { broken: null },
    errors: Array.from({ length: 50_000 }, () => ({ message: 'x', path: ['broken'] })),
  });
  try {
    const { body } = await setting.ask('{ broken }');
    expect(body.errors).toHaveLength(1_001);
    expect(body.errors?.at(-1)?.extensions?.omittedErrors).toBe(49_000);
  } finally {
    people.instead = undefined;
  }
});
