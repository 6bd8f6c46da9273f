import { expect, it } from 'vitest';
import { startWitness, type WitnessOptions, Witnesses } from '../../witness/index.js';

const base: Required<WitnessOptions> = {
  name: 'witness.example/w1',
  // Nothing can be written there: what is accepted would end in another error.
  keyFile: '/nowhere/w1.pem',
  policy: 'quorum none\n',
  stateFolder: '/nowhere/state',
  host: '127.0.0.1',
  port: 0,
  now: () => 0,
};
const noTexts: readonly unknown[] = [null, '', 5, [], {}];
const WRONG: Readonly<Record<keyof WitnessOptions, readonly unknown[]>> = {
  // The empty name has a code of its own.
  name: [undefined, null, 5, [], {}],
  keyFile: [undefined, ...noTexts],
  policy: [undefined, Buffer.from('quorum none\n'), ...noTexts],
  stateFolder: [undefined, ...noTexts],
  host: noTexts,
  port: [undefined, null, '7380', -1, 1.5, 65_536, Number.NaN],
  now: [undefined, null, 5, {}],
};

it.each<[string, unknown]>([
  ...[undefined, null, 5, 'x', [], new Map()].map((given): [string, unknown] => ['the options', given]),
  ...Object.entries(WRONG).flatMap(([key, values]) =>
    values.map((value): [string, unknown] => [key, { ...base, [key]: value }]),
  ),
  ['statefolder', { ...base, statefolder: 'x' }],
  ['keyfile', { ...base, keyFile: undefined, keyfile: 'x' }],
])('a witness is refused for a wrong %s: %o', async (key, options) => {
  const attempt = startWitness(options as never);
  await expect(attempt).rejects.toMatchObject({ name: 'WitnessError', code: 'WITNESS_OPTION_INVALID' });
  await expect(attempt).rejects.toThrow(new RegExp(`^${key} `));
});

it.each([undefined, null, 5, {}, Buffer.from('quorum none\n')])(
  'no witnesses are asked by the policy %o',
  (policy) => {
    const refusal = expect.objectContaining({ name: 'VerificationError', code: 'MALFORMED' }) as Error;
    expect(() => new Witnesses(policy as never)).toThrow(refusal);
  },
);
