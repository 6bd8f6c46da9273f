import { describe, expect, it } from 'vitest';

import { createTestDatabase } from '../support/database.js';
import { behalf } from './support.js';

const COMMANDS: [number, string][] = [
  [1, 'clients list'],
  [1, 'clients show x'],
  [1, 'clients renew-secret x'],
  [1, 'clients retire x --reason x'],
  [2, 'consents verify'],
  [2, 'revoke consent x --reason x'],
  [2, 'suspend everything --reason x'],
  [2, 'resume everything --reason x'],
  [1, 'suspensions'],
  [1, 'rotate-keys'],
  [1, 'replay-store'],
  [1, 'audit tail'],
];

describe('a database that cannot be reached', () => {
  it.each(COMMANDS)('exits with %i and one line that says so: behalf %s', async (code, command) => {
    const ended = await behalf(command.split(' '), '', {
      DATABASE_URL: 'postgres://someone:sekret@127.0.0.1:1/behalf',
      BEHALF_REPLAY_PASSWORD: 'x',
    });
    expect(ended).toMatchObject({ code, stdout: '' });
    expect(linesOf(ended.stderr)).toEqual([
      'DATABASE_UNREACHABLE: The database at 127.0.0.1:1 cannot be used: connect ECONNREFUSED 127.0.0.1:1',
    ]);
  });

  it('is named in one line, without its password, for any URL', async () => {
    const urls = [
      'postgres://someone:sekret@no-such-host.invalid/behalf',
      'someone:sekret',
      'mysql://a:sekret@b/c',
    ];
    for (const url of urls) {
      const { code, stderr } = await behalf(['clients', 'list'], '', { DATABASE_URL: url });
      expect(code).toBe(1);
      expect(stderr).toMatch(/^DATABASE_UNREACHABLE: .*\n$/);
      expect(stderr).not.toContain('sekret');
    }
  });
});

describe('a database without Behalf’s tables', () => {
  it.each([
    [2, 'consents verify'],
    [2, 'revoke consent x --reason x'],
    [2, 'suspend everything --reason x'],
    [1, 'suspensions'],
    [1, 'audit tail'],
    [1, 'audit search'],
    [1, `audit prove ${crypto.randomUUID()}`],
    [1, 'audit prune access --before 2020-01-01 --reason x'],
  ])('exits with %i and one line that says so: behalf %s', async (code, command) => {
    const database = await createTestDatabase();
    try {
      const ended = await behalf(command.split(' '), '', { DATABASE_URL: database.url });
      expect(ended).toMatchObject({ code, stdout: '' });
      expect(linesOf(ended.stderr)).toEqual([
        expect.stringMatching(/^DATABASE_UNREADABLE: .*: (?:relation|schema|function) .* does not exist$/),
      ]);
    } finally {
      await database.drop();
    }
  });
});

/** oidc-provider warns about the Node.js version; that is not part of the command's output. */
function linesOf(stderr: string): string[] {
  return stderr.split('\n').filter((line) => line !== '' && !line.startsWith('oidc-provider WARNING'));
}
