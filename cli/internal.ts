/** What only Behalf's other packages use. Internal: it changes without notice, in any version. */
export { freePorts } from './ports.js';
export { rotateKeysCommand } from './rotate-keys-command.js';
export { EXAMPLE_AUDIENCE } from './start.js';
export { printLine } from './terminal.js';
