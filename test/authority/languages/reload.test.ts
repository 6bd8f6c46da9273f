import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { stringify } from 'yaml';
import { startAuthority } from '../../../authority/index.js';
import { checkPolicy } from '../../../policy/index.js';
import { Cleanup } from '../../support/cleanup.js';
import { BrowserlessPerson } from '../../support/person.js';
import { ALMA } from '../oauth-setup.js';
import { authorizationRequest, discover, POLICY_FILE, startTestAuthority, withPolicy } from '../setup.js';
import type { TestAuthority } from '../setup.js';
import { GERMAN_FILE } from './support.js';

const WAIT_MS = 15_000;

let folder: string;
let authority: TestAuthority;
const cleanup = new Cleanup();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'behalf-languages-'));
  cleanup.add(() => rm(folder, { recursive: true, force: true }));
  authority = await startTestAuthority({
    ...withPolicy(checkPolicy(POLICY_FILE)),
    policyFile: await write('policy.yaml', POLICY_FILE),
    translationFiles: [await write('policy.de.yaml', GERMAN_FILE)],
  });
  cleanup.add(() => authority.close());
});
afterAll(() => cleanup.run());

/** Replaces the file atomically, as deployments do. */
async function write(name: string, content: object): Promise<string> {
  const file = join(folder, name);
  await writeFile(`${file}.new`, stringify(content));
  await rename(`${file}.new`, file);
  return file;
}

/** The question that a person is asked. */
async function question(acceptLanguage: string): Promise<string> {
  const { url } = await authorizationRequest(await discover(authority), 'accounts:read', {
    prompt: 'consent',
  });
  const { pages } = await new BrowserlessPerson(acceptLanguage).follow(url, ALMA);
  return pages.at(-1)?.markup ?? '';
}

describe('a translation that changes', () => {
  const refusals = () => authority.logged.filter((line) => line.startsWith('POLICY_REFUSED'));

  it('is in force, and a page that was shown before grants nothing', async () => {
    const person = new BrowserlessPerson('de');
    const { url } = await authorizationRequest(await discover(authority), 'accounts:read', {
      prompt: 'consent',
    });
    const changed = {
      ...GERMAN_FILE,
      purposes: { ...GERMAN_FILE.purposes, budgeting: 'Um dein Geld zu planen' },
    };
    const beforeDeciding = async (): Promise<void> => {
      await write('policy.de.yaml', changed);
      await authority.authority.reloadPolicy();
    };
    await expect(person.follow(url, { ...ALMA, beforeDeciding })).rejects.toThrow(
      'Diese Seite hat sich geändert, seit du sie geöffnet hast.',
    );
    expect(authority.logged.at(-1)).toMatch(/^POLICY_RELOADED .*"languages":"en de"/);
    expect(await question('de')).toContain('Um dein Geld zu planen');
  });

  it('is noticed by itself', async () => {
    const before = authority.logged.length;
    await write('policy.de.yaml', GERMAN_FILE);
    await vi.waitFor(() => {
      expect(authority.logged.slice(before).join()).toContain('POLICY_RELOADED');
    }, WAIT_MS);
  });

  it.each([
    ['lacks a sentence', { ...GERMAN_FILE, purposes: {} }, 'TRANSLATION_MISMATCH'],
    ['is in a language without messages', { ...GERMAN_FILE, language: 'nl' }, 'OPTION_INVALID'],
    ['has an unknown key', { ...GERMAN_FILE, clients: {} }, 'POLICY_INVALID'],
  ])('is refused together with the policy if it %s', async (_case, content, code) => {
    const before = refusals().length;
    await write('policy.de.yaml', content);
    const { scopes } = POLICY_FILE;
    const renamed = { ...scopes['accounts:read'], sentence: 'See all of your accounts' };
    await write('policy.yaml', { ...POLICY_FILE, scopes: { ...scopes, 'accounts:read': renamed } });
    await authority.authority.reloadPolicy();
    expect(refusals().length).toBeGreaterThan(before);
    expect(refusals().at(-1)).toContain(code);
    expect(await question('en')).not.toContain('See all of your accounts');
    await write('policy.de.yaml', GERMAN_FILE);
    await write('policy.yaml', POLICY_FILE);
    await authority.authority.reloadPolicy();
  });
});

it('an authority does not start with a translation that is incomplete', async () => {
  const file = await write('incomplete.yaml', { ...GERMAN_FILE, purposes: {} });
  const start = startAuthority({
    port: 0,
    databaseUrl: 'postgres://nobody@127.0.0.1:1/none',
    encryptionKey: new Uint8Array(32),
    audience: 'https://api.bank.example',
    ...withPolicy(checkPolicy(POLICY_FILE)),
    translationFiles: [file],
    streamSecret: 'a-secret-of-the-tests',
  });
  await expect(start).rejects.toMatchObject({
    code: 'TRANSLATION_MISMATCH',
    message: `${file}: sentences of the policy that are not translated: purposes.budgeting, purposes.administration`,
  });
});
