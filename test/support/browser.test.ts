import { spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it, vi } from 'vitest';

import { projectPath } from '../../subgraphs/bank/shared/project-path.js';
import { launchBrowser } from './browser.js';
import { Cleanup } from './cleanup.js';

afterEach(() => vi.unstubAllEnvs());

it('Chromium opens a page without a window', async () => {
  const browser = await launchBrowser();
  try {
    const page = await browser.newPage();
    await page.goto('data:text/html,<title>Behalf</title>');
    expect(await page.title()).toBe('Behalf');
  } finally {
    await browser.close();
  }
});

it.each([
  ['a path that does not exist', '/nonexistent/chromium'],
  ['a folder', dirname(fileURLToPath(import.meta.url))],
  ['a file that is no program', fileURLToPath(import.meta.url)],
  ['a name, which is not looked for on the path', 'chromium'],
])('a wrong BEHALF_CHROMIUM is one sentence: %s', async (_what, path) => {
  vi.stubEnv('BEHALF_CHROMIUM', path);
  await expect(launchBrowser()).rejects.toThrow(
    new Error(`BEHALF_CHROMIUM is not the path of a program: ${path}`),
  );
});

it('a program that is not Chromium is one sentence', async () => {
  vi.stubEnv('BEHALF_CHROMIUM', '/bin/false');
  await expect(launchBrowser()).rejects.toThrow(
    /^\/bin\/false does not start as Chromium: apt-get install chromium$/,
  );
});

it('what was not opened before something failed is not closed after it', async () => {
  const cleanup = new Cleanup();
  const closed: string[] = [];
  cleanup.add(() => closed.push('first'));
  vi.stubEnv('BEHALF_CHROMIUM', '/nonexistent');
  await expect(launchBrowser().then((browser) => cleanup.add(() => browser.close()))).rejects.toThrow();
  await expect(cleanup.run()).resolves.toBeUndefined();
  expect(closed).toEqual(['first']);
});

it('.ci/run says so first, and installs nothing', () => {
  const run = spawnSync('bash', [projectPath('.ci/run')], {
    env: { ...process.env, BEHALF_CHROMIUM: '/nonexistent' },
    encoding: 'utf8',
  });
  expect([run.status, run.stdout]).toEqual([1, '']);
  expect(run.stderr).toBe('BEHALF_CHROMIUM is not the path of a program: /nonexistent\n');
});

it('a missing Chromium is one sentence that says how to get it', async () => {
  vi.stubEnv('BEHALF_CHROMIUM', '');
  vi.stubEnv('PATH', '/nonexistent');
  await expect(launchBrowser()).rejects.toThrow(/^Chromium is needed: apt-get install chromium$/);
});
