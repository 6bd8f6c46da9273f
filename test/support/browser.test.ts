import { afterEach, expect, it, vi } from 'vitest';

import { launchBrowser } from './browser.js';

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

it('a missing Chromium is one sentence that says how to get it', async () => {
  vi.stubEnv('BEHALF_CHROMIUM', '');
  vi.stubEnv('PATH', '/nonexistent');
  await expect(launchBrowser()).rejects.toThrow(/^Chromium is needed: apt-get install chromium$/);
});
