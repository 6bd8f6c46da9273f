import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientMessage } from '../../gateway/error-text.js';
import { AUDIENCE, Cleanup, compose, startTestGateway, TestIssuer, TestSubgraph } from './support.js';
import type { TestGateway } from './support.js';

const cleanup = new Cleanup();
let gateway: TestGateway;
beforeAll(async () => {
  const issuer = await TestIssuer.start();
  const people = await TestSubgraph.start('people');
  const accounts = await TestSubgraph.start('accounts');
  for (const each of [issuer, people, accounts]) cleanup.add(() => each.close());
  gateway = await startTestGateway(cleanup, compose(people, accounts), {
    issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
  });
});
afterAll(() => cleanup.run());

const WORDS = 'Did you mean '.repeat(18_000);

describe('a message of graphql-js about an input', () => {
  it.each([
    ['Unknown type "Acount". Did you mean "Account"?', 'Unknown type "Acount".'],
    [
      'Value "A" does not exist in "E" enum. Did you mean the enum value "a" or "b"?',
      'Value "A" does not exist in "E" enum.',
    ],
    ['Expected " Did you mean ". Did you mean "x"?', 'Expected " Did you mean ".'],
    ['not a number: "Did you mean this?"', 'not a number: "Did you mean this?"'],
    ['?', '?'],
  ])('loses only its suggestion: %s', (message, without) => {
    expect(clientMessage(message, false)).toBe(without);
    expect(clientMessage(message, true)).toBe(message);
  });

  it('is truncated', () => {
    expect(clientMessage('x'.repeat(5_000), false)).toHaveLength(1_001);
    expect(clientMessage(WORDS, true)).toHaveLength(1_001);
  });
});

describe('an input in an error costs little, and is not repeated whole', () => {
  const names = (size: number): string =>
    Array.from({ length: size }, (_, i) => `a${i}: nick @include(if: $u)`).join(' ');
  it.each([
    [
      'the words before a suggestion, in a variable',
      'query ($v: Int) { me { nick @include(if: $v) } }',
      { v: WORDS },
    ],
    ['the words before a suggestion, in a literal', `{ me { nick @include(if: "${WORDS}") } }`, {}],
    [
      'the words before a suggestion, in a list of variables',
      'query ($v: [Int]) { me { nick @include(if: $v) } }',
      { v: Array.from({ length: 60 }, () => WORDS.slice(0, 4_000)) },
    ],
    [
      'a long name of an operation in each of many errors',
      `query ${'n'.repeat(200_000)} { me { ${names(90)} } }`,
      {},
    ],
    [
      'a large object in each of many errors',
      'query ($v: Int) { hello }',
      { v: Object.fromEntries(Array.from({ length: 9_000 }, (_, i) => [`m${i}`, 1])) },
    ],
  ])('%s', async (_name, query, variables) => {
    const plain = await asked('query ($v: String) { hello }', { v: 'x'.repeat(247_000) });
    const { answer, cpuMs } = await asked(query, variables);
    expect(answer.status).toBe(400);
    expect(answer.text.length).toBeLessThan(200_000);
    // Compared with a harmless request of the same size, client included. Without the limits it takes hundreds of times as
    // long.
    expect(cpuMs).toBeLessThan(50 * Math.max(plain.cpuMs, 10));
  });
});

async function asked(query: string, variables: Record<string, unknown>) {
  const before = process.cpuUsage();
  const answer = await gateway.ask(query, { variables });
  const { user, system } = process.cpuUsage(before);
  return { answer, cpuMs: (user + system) / 1_000 };
}
