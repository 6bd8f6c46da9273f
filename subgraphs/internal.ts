/** What only Behalf's other packages use. Internal: it changes without notice, in any version. */
export { readSchemaFile } from './schema-file.js';
export { projectPath } from './project-path.js';
