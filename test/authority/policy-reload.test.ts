import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';

import { ApplicationRegister } from '../../authority/internal.js';
import { checkPolicy } from '../../policy/index.js';
import { discover, POLICY_FILE, startTestAuthority, type TestAuthority, withPolicy } from './setup.js';

const WAIT_MS = 15_000;

let folder: string;
let file: string;
let authority: TestAuthority;

const logged = (code: string) => authority.logged.filter((line) => line.startsWith(code));
const scopes = async () => (await discover(authority)).serverMetadata().scopes_supported ?? [];

/** Replaces the file atomically, as deployments do. */
async function deploy(content: string): Promise<void> {
  await writeFile(`${file}.new`, content);
  await rename(`${file}.new`, file);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'behalf-policy-'));
  file = join(folder, 'policy.yaml');
  await writeFile(file, stringify(POLICY_FILE));
  authority = await startTestAuthority({ ...withPolicy(checkPolicy(POLICY_FILE)), policyFile: file });
});
afterAll(async () => {
  await authority.close();
  await rm(folder, { recursive: true, force: true });
});

it.each([
  ['not YAML', '{', 'POLICY_UNREADABLE'],
  ['without scopes', stringify({ purposes: {} }), 'POLICY_INVALID'],
  ['of other scopes than the schema', stringify({ ...POLICY_FILE, scopes: {}, clients: {}, roles: {} }), ''],
])('refuses a policy file that is %s, and keeps the current policy', async (_case, content, reason) => {
  const before = logged('POLICY_REFUSED').length;
  await deploy(content);
  await vi.waitFor(() => {
    expect(logged('POLICY_REFUSED').length).toBe(before + 1);
  }, WAIT_MS);
  expect(logged('POLICY_REFUSED').at(-1)).toContain(reason);
  expect(await scopes()).toContain('accounts:read');
});

it('applies a changed policy, and knows its new clients', async () => {
  const applications = new ApplicationRegister(authority.database.db);
  expect(await applications.isKnownToRunningPolicy('ledger')).toBe(false);
  const deprecated = { since: '2020-01-01', until: '2020-12-31' };
  const changed = {
    ...POLICY_FILE,
    scopes: { ...POLICY_FILE.scopes, 'old:read': { ...POLICY_FILE.scopes['profile:read'], deprecated } },
    clients: { ...POLICY_FILE.clients, ledger: { scopes: ['accounts:read'] } },
  };
  await deploy(stringify(changed));
  await vi.waitFor(async () => {
    expect(await scopes()).toContain('old:read');
  }, WAIT_MS);
  expect(logged('POLICY_RELOADED')).toHaveLength(1);
  await vi.waitFor(async () => {
    expect(await applications.isKnownToRunningPolicy('ledger')).toBe(true);
  }, WAIT_MS);
});

it('reloads on request, as for SIGHUP, and ignores unchanged content', async () => {
  const before = authority.logged.length;
  await authority.authority.reloadPolicy();
  expect(authority.logged).toHaveLength(before);
});
