import { afterEach, expect, it, vi } from 'vitest';
import { reportError } from '../../cli/report.js';
import { ListenError } from '../../http/index.js';

afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
});

it.each([
  ['EADDRINUSE', 'ADDRESS_IN_USE'],
  ['EADDRNOTAVAIL', 'ADDRESS_UNAVAILABLE'],
  ['ENOTFOUND', 'ADDRESS_UNAVAILABLE'],
  ['EACCES', 'ADDRESS_UNAVAILABLE'],
])('an address that cannot be listened on takes one line: %s', (systemCode, code) => {
  const print = vi.spyOn(console, 'error').mockReturnValue();
  reportError(new ListenError(systemCode, 'cannot listen on 10.1.2.3, port 80'));
  expect(print.mock.calls).toEqual([[`${code}: cannot listen on 10.1.2.3, port 80`]]);
  expect(process.exitCode).toBe(1);
});
