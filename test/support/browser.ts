import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

import { type Browser, chromium } from 'playwright-core';

/** Debian names the program `chromium`; a package of Google's, `google-chrome`. */
const PROGRAMS = ['chromium', 'chromium-browser', 'google-chrome'];

/**
 * Starts the Chromium of this machine without a window. Its path is `BEHALF_CHROMIUM`, or it is found on the path.
 *
 * @throws Error with one sentence that says how to get Chromium, if it is missing or does not start
 */
export async function launchBrowser(): Promise<Browser> {
  const executablePath = findChromium();
  // Root, as in containers, can start Chromium only without its sandbox. The tests open nothing but their own pages.
  const isRoot = process.getuid?.() === 0;
  try {
    return await chromium.launch({
      executablePath,
      headless: true,
      chromiumSandbox: !isRoot,
      args: ['--renderer-process-limit=1'],
    });
  } catch {
    // playwright's message is a page of arguments and log lines.
    throw new Error(`${executablePath} does not start as Chromium: apt-get install chromium`);
  }
}

function findChromium(): string {
  const given = process.env['BEHALF_CHROMIUM'];
  if (given !== undefined && given !== '') {
    if (isProgram(given)) return given;
    throw new Error(`BEHALF_CHROMIUM is not the path of a program: ${given}`);
  }
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  const found = folders
    .flatMap((folder) => PROGRAMS.map((program) => join(folder, program)))
    .find((path) => isProgram(path));
  if (found === undefined) throw new Error('Chromium is needed: apt-get install chromium');
  return found;
}

/** A folder can be executable too. */
function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
