/** For Behalf's other packages only. Internal: it changes without notice, in any version. */
export { DEMO_ACCOUNTS, demoClients } from './start/demo.js';
export {
  BrowserlessPerson,
  type Outcome,
  PersonStuckError,
  type PersonsWill,
  type SeenPage,
  signInAndConsent,
} from './walkthrough/browserless-person.js';
export { freePorts } from './start/ports.js';
export { EXAMPLE_AUDIENCE } from './start/start.js';
export { projectPath } from './shared/project-path.js';
export { freePort } from './start/free-port.js';
