import { projectPath } from '../store/internal.js';

/** The data folder of the project, unless another is named. */
export function defaultDataDir(): string {
  return process.env.BEHALF_DATA ?? projectPath('.behalf');
}
