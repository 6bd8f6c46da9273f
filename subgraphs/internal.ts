/** What only Behalf's other packages use. Internal: it changes without notice, in any version. */
export { readSchemaFile } from './schema-file.js';
export { projectPath } from './project-path.js';
export { DEMO_ACCOUNTS, demoClients } from './bank/start/demo.js';
export {
  BrowserlessPerson,
  type Outcome,
  PersonStuckError,
  type PersonsWill,
  type SeenPage,
  signInAndConsent,
} from './bank/walkthrough/browserless-person.js';
