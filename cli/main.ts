import { program } from './program.js';
import { reportError } from './report.js';

try {
  await program.parseAsync();
} catch (error) {
  reportError(error);
}
