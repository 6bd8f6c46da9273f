/** For Behalf's other packages only. Internal: it changes without notice, in any version. */
export { endOnSignals } from './end-on-signals.js';
export { readGateway, readShutdown } from './environment.js';
export { startSubgraph } from './server.js';
export { readSchemaFile } from './schema-file.js';
