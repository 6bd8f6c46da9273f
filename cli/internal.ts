/** Exports that only Behalf's other packages use. Internal: they change without notice, in any version. */
export { printLine } from './terminal.js';
export { describeRecord } from './actions/describe-record.js';
export { rotateKeys } from './actions/rotate-keys.js';
export { reportError } from './report.js';
export { type RunFile, readRunFile, removeRunFile, writeRunFile } from './run-file.js';
export { startTracing } from './telemetry.js';
export { printError } from './terminal.js';
export { CommandError } from './command-error.js';
export { errorReference, errorRegistries } from './actions/error-reference.js';
export { cliReference } from './actions/cli-reference.js';
export { createProgram } from './program.js';
export { CommandProcess } from './command-process.js';
