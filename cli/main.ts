import { CommandProcess } from './command-process.js';
import { run } from './run.js';

// Who reads the output may stop, as `head` does. A program that SIGPIPE ends has this exit code.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(128 + 13);
});
process.exitCode = await run(process.argv.slice(2), new CommandProcess(process));
