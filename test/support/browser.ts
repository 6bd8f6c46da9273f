import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

import { type Browser, chromium } from 'playwright-core';

/** Debian names the program `chromium`; a package of Google's, `google-chrome`. */
const PROGRAMS = ['chromium', 'chromium-browser', 'google-chrome'];

/**
 * Starts the Chromium of this machine without a window. Its path is `BEHALF_CHROMIUM`, or it is found on the path.
 *
 * @throws Error with one sentence that says how to get Chromium, if it is missing
 */
export async function launchBrowser(): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error('Chromium is needed: apt-get install chromium');
  // Root, as in containers, can start Chromium only without its sandbox. The tests open nothing but their own pages.
  const isRoot = process.getuid?.() === 0;
  return chromium.launch({ executablePath, headless: true, chromiumSandbox: !isRoot });
}

function findChromium(): string | undefined {
  const given = process.env['BEHALF_CHROMIUM'];
  if (given !== undefined && given !== '') return given;
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders
    .flatMap((folder) => PROGRAMS.map((program) => join(folder, program)))
    .find((path) => isExecutable(path));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
