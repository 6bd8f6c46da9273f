import { expect, it } from 'vitest';
import { FolderSource, parsePolicy, verifyLog } from '../../audit-verify/index.js';

const policy = parsePolicy('quorum none\n');

it.each<[string, unknown]>([
  ...[null, 5, 'x', [], new Map()].map((given): [string, unknown] => ['the options', given]),
  ...['x', null, {}, [5], Array.from({ length: 1 })].map((seen): [string, unknown] => ['seen', { seen }]),
  ...['5', 0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, null].map((maxFindings): [string, unknown] => [
    'maxFindings',
    { maxFindings },
  ]),
  ['seeen', { seeen: ['checkpoint'] }],
])('a log is not verified with a wrong %s: %o', async (key, options) => {
  // Whoever misspells `seen` would take a log for whole that was cut off.
  const attempt = verifyLog(new FolderSource('/nowhere'), policy, options as never);
  await expect(attempt).rejects.toMatchObject({ name: 'VerificationError', code: 'OPTION_INVALID' });
  await expect(attempt).rejects.toThrow(new RegExp(`^${key} `));
});
