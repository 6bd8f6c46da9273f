import { resolve } from 'node:path';

/** `.behalf` in the folder where the command runs, unless `BEHALF_DATA` names another. */
export function defaultDataDir(): string {
  return process.env.BEHALF_DATA ?? resolve('.behalf');
}
